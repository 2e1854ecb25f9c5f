"""Write the released notebooks, and the students' zips in dist/."""

import argparse
import sys

from hw_grading.verbs import FINE, TO_DO

TAKES_HOMEWORK = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignments", nargs="*", help="default: all homeworks")


def run(chosen: argparse.Namespace) -> int:
    """Release, print changed points, zips and warnings, and return the exit status."""
    from hw_grading.commands.release import release
    from hw_grading.homework.course import Course

    zips, changes, warnings = release(
        Course(chosen.course), chosen.course / "dist", chosen.assignments
    )
    print(*changes, *zips, sep="\n")
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return TO_DO if warnings else FINE
