"""Grade again after a change, and show whose score changed and why.

Releases the homework again if its notebook was edited. Grades all submissions again, but runs only
those affected by a change. Shows whose score changed, in which part and why. Keeps scores that
people gave. Also writes the table to grading/regrades, as CSV.
"""

import argparse

from hw_grading.verbs import FINE, TO_DO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--student",
        action="append",
        default=[],
        help="grade this student's submission only; repeat it for several students",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would run, change nothing"
    )


def run(chosen: argparse.Namespace) -> int:
    """Grade again, and return the exit status."""
    from hw_grading.analysis.regrade import Regrade
    from hw_support.failures import visible

    def say(text: str) -> None:
        print(visible(text), flush=True)

    regrade = Regrade(chosen.course, chosen.assignment, chosen.student, say)
    if chosen.dry_run:
        regrade.show_plan()
        return FINE
    return FINE if regrade.run() else TO_DO
