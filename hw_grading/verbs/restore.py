"""Restore a course from a backup."""

import argparse
from pathlib import Path

from hw_grading.verbs import FINE, TO_DO

NEEDS_COURSE = TAKES_HOMEWORK = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("backup", type=Path, metavar="FILE", help="the backup")
    add("--into", type=Path, metavar="FOLDER", help="the course's folder (default: this folder)")
    add(
        "--database",
        metavar="ADDRESS",
        default="",
        help="an empty PostgreSQL database; default: the one in the settings",
    )
    add("--force", action="store_true", help="move aside existing files that differ")


def run(chosen: argparse.Namespace) -> int:
    """Restore, print what you still have to do, and return the exit status."""
    from hw_grading.records.scores import counted
    from hw_grading.upkeep.restore import restore

    into = (chosen.into or chosen.course).absolute()
    restored = restore(chosen.backup, into, force=chosen.force, database=chosen.database)
    made = str(restored.facts.get("made")).replace("T", " ").replace("+00:00", " UTC")
    print(f"Restored {counted(restored.files, 'file')} into {into}, from the backup of {made}.")
    if restored.put_aside:
        print(f"The files that were there before are in {restored.put_aside}.")
    if restored.facts.get("was_being_graded"):
        print("The course was being graded during the backup. Run the grading command again.")
    print(*restored.to_do, sep="\n", end="\n" if restored.to_do else "")
    return TO_DO if restored.to_do else FINE
