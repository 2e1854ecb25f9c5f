"""Move the gradebook into a PostgreSQL database.

Copies the gradebook into an empty PostgreSQL database and compares the two. The old file is
unchanged. See docs/one-server.md for how to make the database.
"""

import argparse

TAKES_HOMEWORK = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", help="the database, such as postgresql+psycopg://grader@/ml")


def run(chosen: argparse.Namespace) -> None:
    """Move it, and print what to write into the settings."""
    from hw_grading.homework.course import Course
    from hw_grading.records.scores import counted
    from hw_grading.upkeep.move import move

    moved = move(Course(chosen.course), chosen.address)
    rows = counted(sum(moved.rows.values()), "row")
    print(f"Copied {rows} of {counted(len(moved.rows), 'table')}, and compared the two databases.")
    if moved.without_null:
        print(f"A null character was replaced in {moved.without_null:,} of these rows.")
    print(f"{moved.old} is unchanged. Now write into nbgrader_config.py:")
    print(f'    c.CourseDirectory.db_url = "{moved.new.render_as_string(hide_password=False)}"')
    if moved.has_password:
        print("Write the password into ~/.pgpass (chmod 600): host:port:database:user:password")
    print("Restart the desk and formgrader. Until then they save into the old file.")
