"""Give students more time for a homework, or slip days.

Grants extensions, also to students who have not submitted yet. Times are in the homework's time
zone. A CSV file has the columns student, until or hours or days, slip, reason. If it is for several
homeworks, it also has the column homework.
"""

import argparse
from pathlib import Path

from hw_grading.verbs import who_i_am


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("students", nargs="*", metavar="STUDENT", help="ids of students")
    add("--until", default="", help='a time, such as "2022-10-08 23:59"')
    add("--hours", default="", help="hours after the due date")
    add("--days", default="", help="days after the due date, at the same time of day")
    add("--slip", default="", metavar="N", help="number of slip days that the student may use")
    add("--reason", default="", help="the reason, which only staff read")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--from-csv", type=Path, metavar="FILE", help="a row for each student")
    what.add_argument("--remove", action="store_true", help="remove extensions")
    what.add_argument("--list", action="store_true", help="list extensions")


def run(chosen: argparse.Namespace) -> None:
    """Grant, remove or list extensions, and print the result."""
    from hw_grading.commands.extending import Extensions
    from hw_grading.gradebook.writing import say
    from hw_support.submission.file import Unreadable

    asked = {name: getattr(chosen, name) for name in ("until", "hours", "days", "slip", "reason")}
    is_listed = bool(chosen.from_csv or chosen.list)
    if is_listed and (chosen.students or any(asked.values())):
        raise Unreadable("--from-csv and --list take no students and no other option")
    if not is_listed and not chosen.students:
        raise Unreadable("Expected the ids of students, or --from-csv FILE, or --list")
    extensions = Extensions(chosen.course, chosen.assignment)
    if chosen.list:
        lines = extensions.listed()
    elif chosen.from_csv:
        lines = extensions.grant_listed(chosen.from_csv, who_i_am())
    elif chosen.remove:
        lines = extensions.remove(chosen.students)
    else:
        lines = extensions.grant(chosen.students, asked, who_i_am())
    say("\n".join(lines))
