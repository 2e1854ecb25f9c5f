"""Export grades for Canvas, Moodle, Gradescope, or by question.

canvas and moodle fill in the file that you downloaded there; students without a score keep their
old value. If a Moodle is not in English, name its columns. gradescope and questions write new
tables. All scores are final scores. If you have to check something, the command prints it, and its
exit status is 1.
"""

import argparse
import sys
from pathlib import Path

from hw_grading.verbs import FINE, TO_DO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    kinds = ("canvas", "moodle", "gradescope", "questions")
    add("--as", dest="kind", required=True, choices=kinds)
    add("--fill", type=Path, help="Canvas' gradebook or Moodle's grading worksheet, to fill in")
    add("--to", type=Path, help="the file to write; default: <homework>_<platform>.csv")
    add("--column", default="", help="the homework's column, if the command cannot find it")
    add("--column-id", help="Moodle's column of university numbers; default: ID number")
    add("--column-login", help="Moodle's column of emails or logins; default: Email address")
    add("--column-name", help="Moodle's column of names; default: Full name")
    add("--roster", type=Path, help="the list of students; default: the course's students.csv")
    add("--student", action="append", default=[], help="export only this student; repeatable")


def run(chosen: argparse.Namespace) -> int:
    """Write the file, print a summary and what you still have to do; return the exit status."""
    from hw_grading.exports.export import export
    from hw_grading.exports.moodle import Columns
    from hw_grading.homework.course import Course
    from hw_support.failures import visible

    asked = {"id": chosen.column_id, "login": chosen.column_login, "name": chosen.column_name}
    named = {what: name for what, name in asked.items() if name}
    path, exported = export(
        Course(chosen.course),
        chosen.assignment,
        chosen.kind,
        chosen.to,
        fill=chosen.fill,
        column=chosen.column,
        identity=Columns(**named) if named else None,
        roster=chosen.roster,
        students=chosen.student,
    )
    for sentence in exported.left_to_do:
        print(f"warning: {visible(sentence)}", file=sys.stderr)
    print(*map(visible, exported.messages), sep="\n")
    print(path)
    return TO_DO if exported.left_to_do else FINE
