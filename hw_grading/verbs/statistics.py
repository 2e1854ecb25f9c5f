"""Write statistics of a class: points by question, parts of tests that fail most.

Writes a page without names of students, and a table with a line for each student and part.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, help="the page (default: statistics_<homework>.html)")


def run(chosen: argparse.Namespace) -> None:
    """Write page and table, and print where they are."""
    from hw_grading.analysis.statistics import write_statistics
    from hw_grading.gradebook.writing import expect_ending

    out = chosen.out or chosen.course / f"statistics_{chosen.assignment}.html"
    out = expect_ending(out, "--out", ".html", ".htm")
    print(*write_statistics(chosen.course, chosen.assignment, out), sep="\n")
