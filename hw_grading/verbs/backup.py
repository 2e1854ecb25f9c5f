"""Write a backup of the course into one file.

Writes gradebook, submissions, results, sources and settings into one file, which only you may read.
Then reads the file again to check it. docs/one-server.md lists what is in it.
"""

import argparse
import sys
from pathlib import Path

from hw_grading.verbs import FINE, TO_DO

TAKES_HOMEWORK = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to", type=Path, metavar="FILE", help="file or folder; default: backups/ in the course"
    )


def run(chosen: argparse.Namespace) -> int:
    """Make the backup, print its path and what it leaves out, and return the exit status."""
    from hw_grading.homework.course import Course
    from hw_grading.records.scores import counted
    from hw_grading.upkeep.backup import back_up
    from hw_support.failures import one_line

    made = back_up(Course(chosen.course), chosen.to)
    print(made.path)
    before, after = made.bytes_in_all / 1e6, made.path.stat().st_size / 1e6
    files = counted(made.files, "file")
    print(f"{files} of {before:,.1f} MB, packed into {after:,.1f} MB and checked.")
    if made.was_being_graded:
        print(
            "The course was being graded during the backup. After a restore, run the grading "
            "command again."
        )
    for one in made.left_out:
        print(f"left out: {one_line(one.name)}: {one.why}", file=sys.stderr)
    if not any(one.is_lost for one in made.left_out):
        return FINE
    advice = "Some files could not be read. Make them readable, then make another backup."
    print(advice, file=sys.stderr)
    return TO_DO
