"""Make the skeleton of a homework, which you then fill in."""

import argparse

NEEDS_COURSE = TAKES_HOMEWORK = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the homework's name, such as hw3")


def run(chosen: argparse.Namespace) -> None:
    """Write a new homework, and print the next steps."""
    from hw_grading.commands.new import new

    made = new(chosen.course, chosen.name)
    print(*(f"  {path}" for path in made.files), sep="\n")
    print(f"Write the homework into the first of these files. Set its due date in {made.manifest}.")
    print(f"Then type: python -m hw_grading release {chosen.name}")
