"""Restores a course from a backup."""

from __future__ import annotations

import argparse
from pathlib import Path

from hw_grading.verbs import FINE, TO_DO

HELP = "a course again, from a backup"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("backup", type=Path, metavar="FILE")
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="the course's folder (here by default)"
    )
    parser.add_argument(
        "--database",
        metavar="ADDRESS",
        default="",
        help="an empty PostgreSQL database, if not the one that the settings name",
    )
    parser.add_argument(
        "--force", action="store_true", help="put aside what is there and differs from the backup"
    )


def run(chosen: argparse.Namespace) -> int:
    """Restore, print what you still have to do, and return the exit status."""
    from hw_grading.upkeep.restore import restore

    into = (chosen.into or chosen.course).absolute()
    restored = restore(chosen.backup, into, force=chosen.force, database=chosen.database)
    print(f"{restored.files:,} files of {restored.facts.get('made')} are in {into}.")
    if restored.put_aside:
        print(f"What was there before is in {restored.put_aside}.")
    if restored.facts.get("was_being_graded"):
        print("The course was being graded then: give the same command for grading again.")
    print(*restored.to_do, sep="\n", end="\n" if restored.to_do else "")
    return TO_DO if restored.to_do else FINE
