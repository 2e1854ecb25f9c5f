"""Collect submissions from a learning platform's download.

Recognises downloads of Canvas, Gradescope and Moodle, and files named <student>_<homework>.ipynb.
Shows a table of the submissions, and asks before it writes anything.
"""

import argparse
from pathlib import Path

from hw_grading.verbs import FINE, TO_DO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("downloads", nargs="+", type=Path, help="zips, folders or notebooks")
    add("--roster", type=Path, help="the list of students; default: the course's students.csv")
    add("--canvas-gradebook", type=Path, help="Canvas' gradebook; it maps Canvas ids to logins")
    add("--dry-run", action="store_true", help="show the table, and write nothing")
    add("--yes", action="store_true", help="write without asking")


def run(chosen: argparse.Namespace) -> int:
    """Collect, and return the exit status."""
    from hw_grading.term.collect import collect

    is_all_collected = collect(
        chosen.course,
        chosen.assignment,
        chosen.downloads,
        roster=chosen.roster,
        canvas_gradebook=chosen.canvas_gradebook,
        dry_run=chosen.dry_run,
        yes=chosen.yes,
    )
    return FINE if is_all_collected else TO_DO
