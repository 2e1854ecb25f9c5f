"""Write results.json of one submission for Gradescope.

Takes a student who was graded in this course, or a notebook, which it grades in a scratch course.
The file tells students the same about hidden tests as their feedback, and no more.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    one = parser.add_mutually_exclusive_group(required=True)
    one.add_argument("student", nargs="?", help="the id of a student who was graded in this course")
    one.add_argument("--notebook", type=Path, help="a submitted notebook to grade")
    add("--to", type=Path, help="the file to write; default: print it")
    add(
        "--visibility",
        default="after_published",
        choices=("hidden", "after_due_date", "after_published", "visible"),
        help="when students see the results (default: after_published)",
    )
    add(
        "--no-sandbox",
        action="store_true",
        help="grade without a sandbox: only on a machine for this one submission, as on Gradescope",
    )


def run(chosen: argparse.Namespace) -> None:
    """Write the file and print its path, or print its content."""
    from hw_grading.exports.results_json import as_json, graded, results_of
    from hw_grading.homework.course import Course
    from hw_grading.records.writing import expect_ending, say, write_whole

    if chosen.to:
        expect_ending(chosen.to, "--to", ".json")
    course = Course(chosen.course.resolve())
    name, visibility = chosen.assignment, chosen.visibility
    if chosen.notebook:
        results = graded(course, name, chosen.notebook, visibility, not chosen.no_sandbox)
    else:
        results = results_of(course, name, chosen.student, visibility)
    if not chosen.to:
        say(as_json(results), end="")
        return
    write_whole(chosen.to, as_json(results).encode())
    most = sum(test["max_score"] for test in results["tests"])
    print(f"{results['score']:g} of {most:g} points from tests: {chosen.to}")
    if results["output"]:
        say(results["output"])
