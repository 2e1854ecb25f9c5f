"""Moves the gradebook to PostgreSQL."""

from __future__ import annotations

import argparse

from hw_grading.verbs import FINE

HELP = "the gradebook into a PostgreSQL database"
DESCRIPTION = (
    "Copies the gradebook into an empty PostgreSQL database, and compares. The file stays as it "
    "is. docs/one-server.md says how to make the database."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("address", help="such as postgresql+psycopg://grader@/ml")


def run(chosen: argparse.Namespace) -> int:
    """Move it, print what to write into the settings, and return the exit status."""
    from hw_grading.homework.course import Course
    from hw_grading.upkeep.move import move

    moved = move(Course(chosen.course), chosen.address)
    total = sum(moved.rows.values())
    print(f"{total:,} rows of {len(moved.rows)} tables are in the new database, and were compared.")
    if moved.without_null:
        print(f"In {moved.without_null:,} of them a null character was replaced.")
    print(f"{moved.old} is as it was. Now write into nbgrader_config.py:")
    print(f'    c.CourseDirectory.db_url = "{moved.new.render_as_string(hide_password=False)}"')
    if moved.has_password:
        print("The password belongs into ~/.pgpass (chmod 600): host:port:database:user:password")
    print("Restart the desk and formgrader. What they save until then goes into the old file.")
    return FINE
