"""Write statistics of a class: totals, questions, failed parts, times, graders.

Writes one page and two tables of a class, without names of students. With --for-students, they show
only groups of five or more students. Publish that page once, when everybody is graded: by comparing
two pages, students could see whose points changed.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, help="the page (default: statistics_<homework>.html)")
    add("--for-students", action="store_true", help="only groups of five or more, no graders")


def run(chosen: argparse.Namespace) -> None:
    """Write page and tables, and print where they are."""
    from hw_grading.records.writing import expect_ending
    from hw_grading.reports.statistics.page import write_statistics

    kind = "_for_students" if chosen.for_students else ""
    name = f"statistics_{chosen.assignment}{kind}.html"
    out = expect_ending(chosen.out or chosen.course / name, "--out", ".html", ".htm")
    written = write_statistics(chosen.course, chosen.assignment, out, students=chosen.for_students)
    print(*written, sep="\n")
