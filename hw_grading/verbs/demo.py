"""Grade a sample class in a scratch course."""

import argparse
from pathlib import Path

NEEDS_COURSE = TAKES_HOMEWORK = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="the scratch course")


def run(chosen: argparse.Namespace) -> int:
    """Make and grade the scratch course, and return the exit status."""
    from hw_grading.commands.demo import demonstrate

    return demonstrate(chosen.folder.resolve())
