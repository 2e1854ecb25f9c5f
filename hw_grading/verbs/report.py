"""Print a table of points and failures."""

import argparse


def run(chosen: argparse.Namespace) -> None:
    """Print the table."""
    from hw_grading.records.writing import say
    from hw_grading.reports.table import report

    say(report(chosen.course, chosen.assignment))
