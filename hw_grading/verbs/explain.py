"""Show why a student lost points: run a test again, and print each part's message.

Runs a graded submission again in the sandbox, with the same inputs as in grading. Shows the test
and the answers that it calls, with marks where something failed. Writes nothing.
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
    """Run the tests again, and print what was found."""
    from hw_grading.analysis.explain import explain
    from hw_grading.analysis.explaining import in_words
    from hw_grading.gradebook.writing import say

    found = explain(chosen.course, chosen.assignment, chosen.student, chosen.test)
    say(in_words(found))
