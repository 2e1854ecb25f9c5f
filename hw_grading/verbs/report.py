"""Print a table of points and failures."""

import argparse

from hw_grading.verbs import FINE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("assignment")


def run(chosen: argparse.Namespace) -> int:
    """Print the table, and return the exit status."""
    from hw_grading.reports.table import print_report

    print_report(chosen.course, chosen.assignment)
    return FINE
