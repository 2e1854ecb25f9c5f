"""Grade again after a change, and show whose score changed and why.

Releases the homework again if its notebook was edited. Grades all submissions again, but runs only
those affected by a change. Shows whose score changed, in which part and why. Keeps scores that
people gave. Also writes the table to grading/regrades, as CSV and as a page.
"""

import argparse

from hw_grading.verbs import FINE, TO_DO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--student", default="", help="grade this student's submission only")
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--dry-run", action="store_true", help="show what would run, change nothing")
    one.add_argument(
        "--report-only",
        action="store_true",
        help="grade nothing: show what the last run of `nbgrader autograde` changed",
    )


def run(chosen: argparse.Namespace) -> int:
    """Grade again, and return the exit status."""
    from hw_grading.regrading.regrade import Regrade
    from hw_support.failures import visible

    def say(text: str) -> None:
        print(visible(text), flush=True)

    regrade = Regrade(chosen.course, chosen.assignment, chosen.student, say)
    if chosen.dry_run:
        regrade.show_plan()
        return FINE
    is_everybody_graded = regrade.report_only() if chosen.report_only else regrade.run()
    return FINE if is_everybody_graded else TO_DO
