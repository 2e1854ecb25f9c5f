"""Measure how good the tests are, and write docs/validity.md and a page for each homework.

    python tests/grading/validity.py [homework ...] [--seeds 50] [--anew]

The notebook's own test cells score every answer and every mutant. This program computes all numbers
on the pages; only the sentences around them are written by hand. Verdicts are cached (see
`verdicts`), so only what has changed is measured.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence

from causes_told import causes_told
from cells import homeworks, notebook_of
from measuring import Measured, Seeds, measure
from validity_digests import digests, page_of
from validity_page import overview, page
from verdicts import KeptVerdicts

CAUSES_SEEDS = 2  # runs of each wrong answer, for the likely causes that tests report


def main(arguments: Sequence[str]) -> None:
    """Measure and write the pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("homeworks", nargs="*", metavar="homework", help="all if none is named")
    parser.add_argument("--seeds", type=int, default=50, help="runs of each right answer")
    parser.add_argument("--anew", action="store_true", help="measure what is kept, too")
    options = parser.parse_args(arguments)
    if unknown := sorted({*options.homeworks} - {*homeworks()}):
        parser.error(
            f"{', '.join(unknown)} has no answers in staff; expected is {', '.join(homeworks())}"
        )
    page_of("any").parent.mkdir(exist_ok=True)
    seeds, once = Seeds.at_most(options.seeds), Seeds(1, 1, 1)
    kept = KeptVerdicts(anew=options.anew)
    for homework in options.homeworks or homeworks():
        notebook = notebook_of(homework)
        print(homework, file=sys.stderr)
        determined_by = digests(notebook)
        plain = told(measure(notebook, seeds, kept))
        apart = told(measure(notebook, once, kept, isolated=True))
        causes = causes_told(notebook, notebook.functions, range(CAUSES_SEEDS))
        page_of(homework).write_text(
            page(notebook, plain, apart, seeds, determined_by, causes), encoding="utf-8"
        )
    page_of().write_text(overview(), encoding="utf-8")
    print(f"{kept.measured} results were measured, {kept.found} were kept", file=sys.stderr)
    kept.close()


def told(measuring: Iterable[Measured]) -> list[Measured]:
    """Print the progress, and return all results."""
    measured = []
    for one in measuring:
        measured.append(one)
        print(
            f"  {one.name}: {len(one.wrong)} wrong ({len(one.missed)} missed), "
            f"{len(one.right)} right ({len(one.losing)} lose), "
            f"{len(one.mutants)} mutants ({len(one.surviving)} left)",
            file=sys.stderr,
            flush=True,
        )
    return measured


if __name__ == "__main__":
    main(sys.argv[1:])
