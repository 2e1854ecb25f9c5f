"""Print the answers that the tests misjudge.

python tests/grading/complaints.py hw2 wrong [function]   # not caught, or losing points elsewhere
python tests/grading/complaints.py hw2 right [function]   # losing points
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

from answers import Answer, right_answers, whole_submissions, wrong_answers
from cells import homeworks, notebook_of
from guarded import judge
from harness import Verdict


def main(arguments: Sequence[str]) -> int:
    """Print the misjudged answers; their number is the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("homework", choices=homeworks())
    parser.add_argument("kind", choices=["wrong", "right"])
    parser.add_argument(
        "function", nargs="?", help="one answer cell, or 'whole'; else all that are quick"
    )
    parser.add_argument("--seeds", type=int, default=None, metavar="N")
    parser.add_argument("--isolated", action="store_true", help="tests in another process")
    parser.add_argument("--all", action="store_true", help="also print the others")
    options = parser.parse_args(arguments)
    seeds = range(options.seeds or (1 if options.kind == "wrong" else 3))

    name, notebook = options.homework, notebook_of(options.homework)
    right = [*right_answers(name), *whole_submissions(name)]
    pool = wrong_answers(name) if options.kind == "wrong" else right
    quick = [answer for answer in pool if answer.function not in notebook.slow]
    chosen = [a for a in pool if a.function == options.function] if options.function else quick
    bad = 0
    for answer, verdict in judge(notebook, chosen, seeds, isolated=options.isolated):
        lines = list(_complaints(options.kind, answer, verdict))
        bad += bool(lines)
        if lines or options.all:
            print(f"{answer.function}: {answer.name}")
            print("\n".join(f"    {line}" for line in lines), flush=True)
    print(
        f"{len(chosen)} {options.kind} answers, {len(seeds)} seed(s), {bad} not as they should be"
    )
    return min(bad, 99)


def _complaints(kind: str, answer: Answer, verdict: Verdict) -> Iterator[str]:
    if verdict.died:
        yield f"the process ended: {verdict.died}"
    if kind == "wrong" and not verdict.caught:
        yield "NOT CAUGHT in its own cells"
    lost = verdict.lost_elsewhere if kind == "wrong" else verdict.lost
    for test, points in lost.items():
        yield f"loses {points:g} in {test}"
        for line in verdict.failed_parts(test):
            yield f"    {line[:160]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
