"""Runs the tests of a student's graded submission again, and shows all details."""

from __future__ import annotations

import argparse
import sys

from hw_grading.verbs import FINE

HELP = "why a student lost a point: run a test again, with everything shown"
DESCRIPTION = (
    "Runs a graded submission once more in the sandbox, with the inputs that it met in grading, "
    "and shows of a test what students are not told: inputs, calls, what was expected and what "
    "came. Nothing is written. Show the output to nobody who is still to hand in."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("assignment")
    parser.add_argument("student", help="an id")
    parser.add_argument(
        "test",
        nargs="?",
        default="",
        help="a grade id, a question or a heading; all tests that lost points by default",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="show inputs and calls of parts that passed, too",
    )


def run(chosen: argparse.Namespace) -> int:
    """Explain, and return the exit status."""
    from hw_grading.regrading.explain import explain
    from hw_grading.regrading.explaining import in_words
    from hw_support.failures import visible

    found = explain(chosen.course, chosen.assignment, chosen.student, chosen.test)
    encoding = sys.stdout.encoding or "utf-8"
    print(visible(in_words(found, chosen.all)).encode(encoding, "replace").decode(encoding))
    return FINE
