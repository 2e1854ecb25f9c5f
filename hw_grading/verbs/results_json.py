"""Writes the results.json that Gradescope expects of an autograder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hw_grading.exports.choices import VISIBILITIES
from hw_grading.verbs import FINE

HELP = "one submission's results.json for Gradescope"
DESCRIPTION = (
    "Of a student who was graded here, or of a notebook file, which is graded in a scratch course. "
    "Students read in it what their feedback shows, and nothing more of hidden tests."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("assignment")
    one = parser.add_mutually_exclusive_group(required=True)
    one.add_argument("student", nargs="?", help="who was graded in this course")
    one.add_argument("--notebook", type=Path, help="a notebook to grade, as it was handed in")
    parser.add_argument("--to", type=Path, help="a file; it is printed by default")
    parser.add_argument(
        "--visibility",
        default="after_published",
        choices=VISIBILITIES,
        help="when students see it (after_published by default)",
    )
    parser.add_argument(
        "--no-sandbox",
        action="store_true",
        help="only on a machine that the submission has for itself, as on Gradescope",
    )


def run(chosen: argparse.Namespace) -> int:
    """Write the file and print its path, or print its content; return the exit status."""
    from hw_grading.exports.one_notebook import graded
    from hw_grading.exports.results_json import as_json, results_of
    from hw_grading.homework.course import Course
    from hw_grading.records.writing import write_whole

    course = Course(chosen.course.resolve())
    if chosen.notebook:
        results = graded(
            course,
            chosen.assignment,
            chosen.notebook,
            chosen.visibility,
            sandbox=not chosen.no_sandbox,
        )
    else:
        results = results_of(course, chosen.assignment, chosen.student, chosen.visibility)
    if not chosen.to:
        encoding = sys.stdout.encoding or "utf-8"
        print(as_json(results).encode(encoding, "replace").decode(encoding), end="")
        return FINE
    write_whole(chosen.to, as_json(results).encode())
    most = sum(test["max_score"] for test in results["tests"])
    print(f"{results['score']:g} of {most:g} points that tests give: {chosen.to}")
    return FINE
