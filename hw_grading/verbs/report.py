"""Print a table of points and failures."""

import argparse

from hw_grading.verbs import add_homework


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_homework(parser)


def run(chosen: argparse.Namespace) -> None:
    """Print the table."""
    from hw_grading.records.writing import say
    from hw_grading.reports.table import report

    say(report(chosen.course, chosen.assignment))
