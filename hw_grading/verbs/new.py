"""Make the skeleton of a homework, which you then fill in."""

import argparse

from hw_grading.verbs import FINE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("name", help="the homework's name, such as hw3")


def run(chosen: argparse.Namespace) -> int:
    """Write a new homework, print the next steps, and return the exit status."""
    from hw_grading.commands.new import new

    made = new(chosen.course, chosen.name)
    print(*(f"  {path}" for path in made.files), sep="\n")
    first = "Write your homework into the first of these files."
    print(f"{first} Set its due date in {made.manifest}.")
    print(f"Then type: python -m hw_grading release {chosen.name}")
    return FINE
