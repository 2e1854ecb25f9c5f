"""Writes grades into a learning platform's file, or as a table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hw_grading.exports.choices import KINDS
from hw_grading.verbs import FINE, TO_DO

HELP = "grades for Canvas, Moodle, Gradescope, or by question"
DESCRIPTION = (
    "canvas and moodle fill in the file that you downloaded there: a student without a score keeps "
    "what was there. gradescope and questions are tables of their own. Every score is the final "
    "one. What you have to look at is said, and the exit status is 1 then."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("assignment")
    parser.add_argument("--as", dest="kind", required=True, choices=KINDS)
    parser.add_argument(
        "--fill", type=Path, help="Canvas' gradebook, or Moodle's grading worksheet"
    )
    parser.add_argument("--to", type=Path, help="<assignment>_<platform>.csv by default")
    parser.add_argument("--column", default="", help="of the homework, where it cannot be told")
    parser.add_argument("--roster", type=Path, help="students.csv of the course by default")
    parser.add_argument("--student", action="append", default=[], help="only this one; repeatable")


def run(chosen: argparse.Namespace) -> int:
    """Write the file, print a summary and what you still have to do; return the exit status."""
    from hw_grading.exports.export import export
    from hw_grading.homework.course import Course
    from hw_support.failures import visible

    path, exported = export(
        Course(chosen.course),
        chosen.assignment,
        chosen.kind,
        chosen.to,
        fill=chosen.fill,
        column=chosen.column,
        roster=chosen.roster,
        students=chosen.student,
    )
    for sentence in exported.left_to_do:
        print(f"warning: {visible(sentence)}", file=sys.stderr)
    print(*map(visible, exported.told), sep="\n")
    print(path)
    return TO_DO if exported.left_to_do else FINE
