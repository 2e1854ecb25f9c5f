"""Write pages of plots and written answers, by student and by question."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, help="the page by student (default: plots_<homework>.html)"
    )


def run(chosen: argparse.Namespace) -> None:
    """Write the pages, and print where they are."""
    from hw_grading.records.writing import expect_ending
    from hw_grading.reports.plots_page import by_question, write_plots_page

    out = chosen.out or chosen.course / f"plots_{chosen.assignment}.html"
    out = expect_ending(out, "--out", ".html", ".htm")
    write_plots_page(chosen.course, chosen.assignment, out)
    print(out, by_question(out), sep="\n")
