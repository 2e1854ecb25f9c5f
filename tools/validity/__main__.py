"""Measure the test cells of homeworks, and write docs/validity.md."""

import argparse
import sys
from collections.abc import Sequence

from tools.validity import page
from tools.validity.answers import answers, homeworks
from tools.validity.measuring import Measured, measure
from tools.validity.scoring import notebook_of


def main(arguments: Sequence[str]) -> int:
    """Return 1 if a homework has a fault: a wrong answer that is missed, and so on."""
    parser = argparse.ArgumentParser(prog="python -m tools.validity", description=__doc__)
    parser.add_argument("homework", nargs="*", help="all by default")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="runs of each answer")
    parser.add_argument(
        "--without", action="append", default=[], metavar="FUNCTION", help="leave its answers out"
    )
    options = parser.parse_args(arguments)
    names = options.homework or homeworks()
    if unknown := sorted({*names} - {*homeworks()}):
        parser.error(f"expected {', '.join(homeworks())}; got {unknown[0]}")
    found: dict[str, Measured] = {}
    for name in names:
        notebook = notebook_of(name)
        if stale := notebook.settings.without_answer(answers(name, "wrong")):
            parser.error(f"{name}/answers/validity.toml names what is no wrong answer: {stale[0]}")
        found[name] = measure(notebook, range(options.seeds), options.without)
        print(page.section(name, found[name]), flush=True)
    page.write(found)
    faults = [f"{name}: {fault}" for name, one in found.items() for fault in one.faults]
    print("\n".join(faults) or "no faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
