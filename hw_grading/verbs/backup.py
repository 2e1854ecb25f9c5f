"""Writes a backup of the course."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hw_grading.verbs import FINE, TO_DO

HELP = "a backup of the course, in one file"
DESCRIPTION = (
    "Writes gradebook, submissions, results, sources and settings into one file, which only you "
    "may read, and reads it again. docs/one-server.md says what is in it."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--to", type=Path, metavar="FILE", help="or a folder; backups/ in the course by default"
    )


def run(chosen: argparse.Namespace) -> int:
    """Make the backup, print its path and what it leaves out, and return the exit status."""
    from hw_grading.homework.course import Course
    from hw_grading.upkeep.backup import back_up
    from hw_support.failures import one_line

    made = back_up(Course(chosen.course), chosen.to)
    print(made.path)
    megabytes = made.path.stat().st_size / 1e6
    print(
        f"{made.files:,} files, {made.bytes_in_all / 1e6:,.1f} MB, in {megabytes:,.1f} MB; "
        "written, and read again."
    )
    if made.was_being_graded:
        print(
            "The course was being graded: after a restore, give the same command for grading again."
        )
    for one in made.left_out:
        print(f"left out: {one_line(one.name)}: {one.why}", file=sys.stderr)
    is_lost = any(one.is_lost for one in made.left_out)
    if is_lost:
        print("Some files could not be read. Mend that, and make another backup.", file=sys.stderr)
    return TO_DO if is_lost else FINE
