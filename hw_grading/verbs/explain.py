"""Show why a student lost points: each part of a test with its message, as it was graded.

Runs and writes nothing.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("student", help="the student's id")
    add(
        "test",
        nargs="?",
        default="",
        help="grade id, question or heading; default: all tests that cost the student points",
    )


def run(chosen: argparse.Namespace) -> None:
    """Print what the tests found."""
    from hw_grading.analysis.explain import explain
    from hw_grading.gradebook.writing import say

    say(explain(chosen.course, chosen.assignment, chosen.student, chosen.test))
