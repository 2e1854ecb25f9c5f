"""Print a table of points and failures."""

import argparse


def run(chosen: argparse.Namespace) -> None:
    """Print the table."""
    from hw_grading.analysis.report import report
    from hw_grading.gradebook.writing import say

    say(report(chosen.course, chosen.assignment))
