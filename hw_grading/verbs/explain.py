"""Show why a student lost points: run a test again, with all details.

Runs a graded submission again in the sandbox, with the same inputs as in grading. Shows what
students do not see of a test: inputs, calls, expected values and results. Writes nothing. Do not
show the output to students who can still submit.
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
    add("--all", action="store_true", help="show inputs and calls also for parts that passed")


def run(chosen: argparse.Namespace) -> None:
    """Run the tests again, and print what was found."""
    from hw_grading.records.writing import say
    from hw_grading.regrading.explain import explain
    from hw_grading.regrading.explaining import in_words

    found = explain(chosen.course, chosen.assignment, chosen.student, chosen.test)
    say(in_words(found, chosen.all))
