"""Write a backup of the course into one zip.

Writes gradebook, submissions, results, sources and settings into one zip, which only you may read.
docs/one-server.md lists what is in it, and how to put it back.
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
    from hw_grading.upkeep.backup import back_up
    from hw_support.failures import one_line

    path, left_out = back_up(Course(chosen.course), chosen.to)
    print(f"{path}, {path.stat().st_size / 1e6:,.1f} MB")
    for line in left_out:
        print(f"Not in the backup: {one_line(line)}", file=sys.stderr)
    return TO_DO if left_out else FINE
