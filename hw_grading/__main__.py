"""The staff's: ``python -m hw_grading collect | demo | desk | new | plots | report | release``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hw_grading.homework.course import Course
from hw_grading.records.scores import NoScores
from hw_support.failures import visible
from hw_support.submission.file import Unreadable

FINE, TO_DO, CANNOT = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, run one command, and return its exit status.

    Returns
    -------
    int
        0 if all is fine, 1 if there is something left to do, 2 if it could not be done.
    """
    parser = argparse.ArgumentParser(prog="python -m hw_grading", description=__doc__)
    parser.add_argument(
        "--course", type=Path, default=Path.cwd(), help="the course's folder (here by default)"
    )
    commands = parser.add_subparsers(dest="command", required=True)

    collect = commands.add_parser(
        "collect",
        help="take submissions out of a learning platform's download",
        description="Recognises downloads of Canvas, Gradescope and Moodle, and files named "
        "<student>_<homework>.ipynb. Shows what they hold before anything is written.",
    )
    collect.add_argument("assignment")
    collect.add_argument("downloads", nargs="+", type=Path, help="zips, folders or notebooks")
    collect.add_argument("--roster", type=Path, help="students.csv of the course by default")
    collect.add_argument(
        "--canvas-gradebook", type=Path, help="exported by Canvas; it turns ids into logins"
    )
    collect.add_argument("--dry-run", action="store_true", help="show only")
    collect.add_argument("--yes", action="store_true", help="write without asking")

    demo = commands.add_parser("demo", help="grade a sample class in a scratch course")
    demo.add_argument("--folder", type=Path, default=Path("demo"), help="the scratch course")

    desk = commands.add_parser(
        "desk",
        help="grade by hand in the browser",
        description="Opens the desk of a homework. Further options go to Jupyter Server.",
    )
    desk.add_argument("assignment")
    # What is not known here is Jupyter Server's; this one is ours, wherever it stands.
    desk.add_argument("--course", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    desk.add_argument("--port", type=int, help="where the server listens (8888 by default)")
    desk.add_argument("--no-browser", action="store_true", help="print the address only")

    made = commands.add_parser("new", help="the skeleton of a homework, which you then fill in")
    made.add_argument("name", help="of the homework, such as hw3")

    plots = commands.add_parser(
        "plots", help="plots and written answers, by student and by question"
    )
    plots.add_argument("assignment")
    plots.add_argument(
        "--out", type=Path, help="the page by student (plots_<assignment>.html by default)"
    )

    table = commands.add_parser("report", help="the table of points, and what went wrong")
    table.add_argument("assignment")

    made = commands.add_parser("release", help="released notebooks, and students' zips in dist/")
    made.add_argument("assignments", nargs="*", help="all homeworks by default")

    try:
        chosen, more = parser.parse_known_args(arguments)
        if more and chosen.command != "desk":
            parser.error(f"unrecognized arguments: {' '.join(more)}")
        return run(chosen, more)
    except (NoScores, Unreadable, OSError, RuntimeError) as error:
        print(visible(str(error)), file=sys.stderr)
        return CANNOT


def run(chosen: argparse.Namespace, more: Sequence[str] = ()) -> int:
    """Run the command that was chosen, and return its exit status; `more` is for Jupyter Server."""
    match chosen.command:
        case "collect":
            from hw_grading.term.collect import collect

            is_all_collected = collect(
                chosen.course,
                chosen.assignment,
                chosen.downloads,
                roster=chosen.roster,
                canvas_gradebook=chosen.canvas_gradebook,
                dry_run=chosen.dry_run,
                yes=chosen.yes,
            )
            return FINE if is_all_collected else TO_DO
        case "demo":
            from hw_grading.commands.demo import demonstrate

            return demonstrate(chosen.folder.resolve())
        case "desk":
            from hw_grading.desk.app import serve

            serve(chosen.course, chosen.assignment, chosen.port, not chosen.no_browser, more)
        case "new":
            return begin_homework(chosen.course, chosen.name)
        case "plots":
            from hw_grading.reports.plots_page import by_question, write_plots_page

            out = chosen.out or chosen.course / f"plots_{chosen.assignment}.html"
            write_plots_page(chosen.course, chosen.assignment, out)
            print(out, by_question(out), sep="\n")
        case "report":
            from hw_grading.reports.table import print_report

            print_report(chosen.course, chosen.assignment)
        case "release":
            from hw_grading.commands.release import release

            zips, warnings = release(
                Course(chosen.course), chosen.course / "dist", chosen.assignments
            )
            print(*zips, sep="\n")
            for warning in warnings:
                print(f"warning: {warning}", file=sys.stderr)
            return TO_DO if warnings else FINE
    return FINE


def begin_homework(course: Path, name: str) -> int:
    """Write a new homework, and say what comes next."""
    from hw_grading.commands.new import new

    made = new(course, name)
    for path in made.files:
        print(f"  {path}")
    print(f"Write your homework into the first of these; its due date stands in {made.manifest}.")
    print(f"Then type: python -m hw_grading release {name}")
    return FINE


if __name__ == "__main__":
    sys.exit(main())
