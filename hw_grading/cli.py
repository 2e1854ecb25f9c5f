"""The staff's command line: ``hw-grading COMMAND``, or ``python -m hw_grading COMMAND``.

Each command is a function that calls a room and prints what it returns. It returns its exit status,
or None if all is fine. Its docstring is its help. Rooms are slow to import, so a command imports
them when it runs.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from inspect import cleandoc
from pathlib import Path
from typing import Any
from urllib.parse import quote

FINE, TO_DO, CANNOT, STOPPED = 0, 1, 2, 130
_PROGRAM = "hw-grading"
_HOW = f"""
To see the arguments of a command, type: {_PROGRAM} COMMAND --help
The exit status is 0 if all is fine, 1 if you have something to do, 2 if it failed."""

Asked = argparse.Namespace
_Run = Callable[[Asked], int | None]


_Argument = tuple[str, bool, dict[str, Any]]  # its name, if it is a choice, and how to parse it

_PARSER = argparse.ArgumentParser(
    _PROGRAM,
    usage=f"{_PROGRAM} [--course FOLDER] COMMAND ...",
    formatter_class=argparse.RawDescriptionHelpFormatter,
)
_COURSE: dict[str, Any] = {
    "type": Path,
    "metavar": "FOLDER",
    "help": "the course; default: this folder",
}
_PARSER.add_argument("--course", **_COURSE)
_COMMANDS = _PARSER.add_subparsers(
    dest="command", required=True, metavar="COMMAND", help=argparse.SUPPRESS, prog=_PROGRAM
)
PHASES: dict[str, dict[str, str]] = {}  # of a term: its commands, and a line on each


def _command(
    phase: str,
    *arguments: _Argument,
    homework: bool = True,
    course: bool = True,
    more: bool = False,
) -> Callable[[_Run], _Run]:
    """Register a command. With `course` it needs one, with `more` it passes unknown options on."""

    def register(run: _Run) -> _Run:
        summary, *text = cleandoc(run.__doc__ or "").split("\n\n")
        line = summary[0].lower() + summary[1:].removesuffix(".")
        PHASES.setdefault(phase, {})[run.__name__] = line
        one = _COMMANDS.add_parser(
            run.__name__, description="\n\n".join(text) or summary, allow_abbrev=False
        )
        one.set_defaults(run=run, needs_course=course, takes_more=more)
        one.add_argument("--course", default=argparse.SUPPRESS, **_COURSE)
        is_any = any(is_choice for _, is_choice, _ in arguments)
        choice = one.add_mutually_exclusive_group(required=True) if is_any else one
        for name, is_choice, how in ((_HOMEWORK,) if homework else ()) + arguments:
            (choice if is_choice else one).add_argument(name, **how)
        return run

    return register


def _argument(
    name: str, text: str, metavar: str | None = None, is_choice: bool = False, **how: Any
) -> _Argument:
    how |= {"metavar": metavar} if metavar else {}
    return name, is_choice, {"help": text, **how}


_switch = partial(_argument, action="store_true")
_file = partial(_argument, metavar="FILE", type=Path)
_number = partial(_argument, metavar="NUMBER", type=int)
_students = partial(_argument, "--student", metavar="ID", action="append", default=[])
_HOMEWORK = _argument("homework", "the homework's name, such as hw3")
_ROSTER = _file("--roster", "the list of students; default: the course's students.csv")
_WORKSHEET = (
    _argument("--column-participant", "its column of participants; default: Identifier", "NAME"),
    _argument("--column-id", "its column of university numbers; default: ID number", "NAME"),
    _argument("--column-login", "its column of emails or logins; default: Email address", "NAME"),
    _argument("--column-name", "its column of names; default: Full name", "NAME"),
)


@_command("Prepare", homework=False, course=False)
def doctor(asked: Asked) -> int:
    """Check whether this machine and this course are ready for grading.

    Each line reports that something is fine, or tells you what to type.
    """
    from hw_grading.doctor import SETTINGS, look
    from hw_support.failures import visible

    status = FINE
    for line in look(asked.course):
        print(visible(str(line)), flush=True)
        if line.advice is not None:
            status = CANNOT if line.what == SETTINGS or status == CANNOT else TO_DO
    to_do = "Fix each line that begins with FIX, then run this command again."
    print("Everything is fine." if status == FINE else to_do)
    return status


@_command(
    "Prepare",
    _argument("--output", "the scratch course; default: demo", "FOLDER", type=Path),
    homework=False,
    course=False,
)
def demo(asked: Asked) -> int:
    """Grade a sample class in a scratch course."""
    from hw_grading.commands.demo import demonstrate

    return demonstrate((asked.output or Path("demo")).resolve())


@_command("Prepare")
def new(asked: Asked) -> None:
    """Make the skeleton of a homework, which you then fill in."""
    from hw_grading.commands.new import new

    print(*(f"  {path}" for path in new(asked.course, asked.homework)), sep="\n")
    print("Write the homework into its notebook. Set its due date in its homework.toml.")
    print(f"Then type: {_PROGRAM} release {asked.homework}")


@_command("Prepare", _argument("homework", "default: all homeworks", nargs="*"), homework=False)
def release(asked: Asked) -> int:
    """Write the released notebooks, and the students' zips in dist/."""
    from hw_grading.commands.release import release
    from hw_grading.homework.course import Course

    zips, warnings = release(Course(asked.course), asked.course / "dist", asked.homework)
    _say(zips)
    return _warned(warnings)


@_command("Prepare")
def compare(asked: Asked) -> int:
    """Compare the scores of stock nbgrader with those of this grader.

    Grades your own solutions, and the untouched release, by both in a scratch copy of the course.
    """
    from hw_grading.commands.compare import compare
    from hw_grading.homework.course import Course

    found = compare(Course(asked.course), asked.homework)
    _say(found.lines())
    return TO_DO if found.different or found.stock.log or found.ours.log else FINE


@_command(
    "Collect",
    _argument("downloads", "zips, folders or notebooks", nargs="+", type=Path),
    _ROSTER,
    _file("--canvas-gradebook", "Canvas' gradebook; it maps Canvas ids to logins"),
    _file("--moodle-worksheet", "the assignment's grading worksheet from Moodle"),
    *_WORKSHEET,
    _switch("--accept-names", "take files of which only a name says whose they are"),
    _switch("--dry-run", "show the table, and write nothing"),
    _switch("--yes", "write without asking"),
)
def collect(asked: Asked) -> int:
    """Collect submissions from a learning platform's download.

    Recognises downloads of Canvas, Gradescope and Moodle, and files named
    <student>_<homework>.ipynb. Shows a table, and asks before it writes anything. Students can
    change their names, so Canvas' gradebook and Moodle's worksheet say whose a file is.
    """
    from hw_grading.lms.collect import collect

    names = ("roster", "canvas_gradebook", "moodle_worksheet", "accept_names", "dry_run", "yes")
    chosen = {name: getattr(asked, name) for name in names}
    columns = _columns(asked)
    is_done = collect(asked.course, asked.homework, asked.downloads, columns=columns, **chosen)
    return FINE if is_done else TO_DO


@_command(
    "Collect",
    _students("a student's id; repeatable"),
    _argument("--until", 'a time, such as "2022-10-08 23:59"', "TIME"),
    _argument("--hours", "hours after the due date", "N"),
    _argument("--days", "days after the due date, at the same time of day", "N"),
    _argument("--slip", "slip days that the student may use at most", "N"),
    _argument("--reason", "the reason, which only staff read", "TEXT"),
    _file("--from-csv", "grant what its rows say"),
    _switch("--remove", "remove the students' extensions"),
    _switch("--list", "list all extensions"),
)
def extend(asked: Asked) -> None:
    """Give students more time for a homework, or slip days.

    Times are in the homework's time zone. A CSV file has the columns student, until or hours or
    days, slip, reason, and homework if it is for several.
    """
    from hw_grading.commands.extend import Extensions, rows_of

    extensions, students = Extensions(asked.course, asked.homework), dict.fromkeys(asked.student)
    if asked.list:
        lines = extensions.listed()
    elif asked.remove:
        lines = extensions.remove(list(students))
    elif asked.from_csv:
        lines = extensions.grant(rows_of(asked.from_csv), _me())
    else:
        same = {name: text for name, text in vars(asked).items() if isinstance(text, str)}
        lines = extensions.grant([("", {**same, "student": one}) for one in students], _me())
    _say(lines)


@_command("Grade", _students("grade this student's submission only; repeatable"), more=True)
def grade(asked: Asked) -> int:
    """Grade the submissions that are new or changed.

    Is `nbgrader autograde`, and passes all other options on to it. With --force it saves all scores
    again, and runs what changed.
    """
    return _nbgrader("autograde", asked, asked.more)


@_command(
    "Grade",
    _number("--port", "port of the server; default: the first free one from 8888 on"),
    _argument("--grid", "begin with all answers to this question, side by side", "CELL"),
    _switch("--no-browser", "do not open a browser, only print the address"),
    more=True,
)
def desk(asked: Asked) -> None:
    """Grade by hand in the browser.

    Opens the desk of a homework. Passes all other options on to Jupyter Server.
    """
    from hw_grading.desk.app import serve

    if asked.port is not None and not 0 < asked.port < 65_536:
        raise RuntimeError(f"Expected a port from 1 to 65535, found {asked.port}")
    page = f"grid/{quote(asked.grid, safe='')}" if asked.grid else ""
    serve(asked.course, asked.homework, page, asked.port, not asked.no_browser, asked.more)


@_command("Grade")
def report(asked: Asked) -> None:
    """Print a table of points and failures."""
    from hw_grading.analysis.report import report

    _say([report(asked.course, asked.homework)])


@_command(
    "After grading",
    _students("grade this student's submission only; repeatable"),
    _switch("--dry-run", "show what would run, change nothing"),
)
def regrade(asked: Asked) -> int:
    """Grade again after a change, and show whose score changed and why.

    Releases the homework again if its notebook was edited. Runs the submissions that a change
    affects. Keeps scores that people gave. Also writes the table to grading/regrades.
    """
    from hw_grading.analysis.regrade import Regrade
    from hw_support.failures import visible

    def say(text: str) -> None:
        print(visible(text), flush=True)

    regrade = Regrade(asked.course, asked.homework, asked.student, say)
    if asked.dry_run:
        regrade.show_plan()
        return FINE
    return FINE if regrade.run() else TO_DO


@_command(
    "After grading",
    _students("required: a student's id; repeatable", required=True),
    _argument(
        "--test",
        "grade id, question or heading; default: all tests that cost the student points",
        "TEST",
    ),
)
def explain(asked: Asked) -> None:
    """Show why a student lost points: each part of a test with its message, as it was graded.

    Runs and writes nothing.
    """
    from hw_grading.analysis.explain import explain

    for student in asked.student:
        _say([explain(asked.course, asked.homework, student, asked.test or "")])


@_command(
    "After grading",
    _argument("question", "its grade id, or its label, such as '1.3b iv'", nargs="?", default=""),
    _argument("--add", "points to add; may be negative", "POINTS", type=float, is_choice=True),
    _switch("--drop", "the question no longer counts", is_choice=True),
    _switch("--full-marks", "everybody gets all its points", is_choice=True),
    _argument("--to", "the points of each --student", "POINTS", type=float, is_choice=True),
    _students("a student's id, for --to; repeatable"),
    _argument("--reason", "the reason, which students read", "TEXT", default=""),
    _number("--undo", "undo a correction", is_choice=True),
    _switch("--list", "list all corrections, also undone ones", is_choice=True),
)
def correct(asked: Asked) -> None:
    """Change the points of a question after grading, for everybody or for single students.

    Students read the reason.
    """
    from hw_grading.commands.correct import Corrections
    from hw_grading.gradebook.corrections import Kind

    corrections = Corrections(asked.course, asked.homework)
    if asked.list:
        lines = corrections.listed()
    elif asked.undo is not None:
        lines = corrections.undo(asked.undo, _me())
    else:
        kind = Kind.DROP if asked.drop else Kind.FULL if asked.full_marks else Kind.ADD
        kind, points = (kind, asked.add or 0.0) if asked.to is None else (Kind.SET, asked.to)
        about = (kind, points, asked.reason, _me(), asked.student)
        lines = corrections.correct(asked.question, *about)
    _say(lines)


@_command("After grading", _file("--output", "the page; default: statistics_<homework>.html"))
def statistics(asked: Asked) -> None:
    """Write statistics of a class: points by question, parts of tests that fail most.

    Writes a page without names of students, and a table with a line for each student and part.
    """
    from hw_grading.analysis.statistics import write_statistics

    print(*write_statistics(asked.course, asked.homework, _page(asked)), sep="\n")


@_command(
    "After grading",
    _file("--output", "the page; default: similarity_<homework>.html"),
    _number("--pairs", "how many pairs the page shows; default: 40", default=40),
)
def similarity(asked: Asked) -> int:
    """Find similar answers: pairs of students, and groups with the same answer.

    Writes a page. Similarity is no evidence: a person must read both answers.
    """
    from hw_grading.analysis.similarity import write_similarity
    from hw_grading.gradebook.graded_notebook import plain

    page = _page(asked)
    left_out = write_similarity(asked.course, asked.homework, page, max(asked.pairs, 0))
    _say([*(f"{plain(student, 60)}: {why}" for student, why in left_out.items()), page])
    return TO_DO if left_out else FINE


@_command("Give back", _students("write this student's page only; repeatable"), more=True)
def feedback(asked: Asked) -> int:
    """Write a page of feedback for each student.

    Is `nbgrader generate_feedback`, and passes all other options on to it: --force writes all pages
    again. Then `nbgrader release_feedback`, if the homework was collected through the exchange.
    """
    from nbgrader.exchange.default import Exchange

    from hw_grading.homework.course import Course

    status = _nbgrader("generate_feedback", asked, asked.more)
    course = Course(asked.course)
    inbound = Path(Exchange(config=course.config).root, course.directory.course_id, "inbound")
    if any(f"+{asked.homework}+" in folder.name for folder in inbound.glob("*")):
        status = max(status, _nbgrader("release_feedback", asked))
    return status


@_command(
    "Give back",
    _argument(
        "--format",
        "required: the kind of file",
        choices=["canvas", "moodle", "gradescope", "questions"],
        required=True,
    ),
    _file("--fill", "Canvas' gradebook or Moodle's grading worksheet, to fill in"),
    _file("--output", "the file to write; default: <homework>_<format>.csv"),
    _argument("--column", "the homework's column, if the command cannot find it", "NAME"),
    *_WORKSHEET,
    _ROSTER,
    _students("export only this student; repeatable"),
    _switch("--accept-names", "fill in rows of which only a name says whose they are"),
)
def export(asked: Asked) -> int:
    """Export grades for Canvas, Moodle, Gradescope, or by question.

    canvas and moodle fill in the file that you downloaded there; students without a score keep
    their old value. gradescope and questions write new tables. All scores are final scores.
    """
    from hw_grading.homework.course import Course
    from hw_grading.lms.export import export

    chosen = {name: getattr(asked, name) for name in ("fill", "roster", "accept_names")}
    chosen |= {"column": asked.column or "", "columns": _columns(asked), "students": asked.student}
    course = Course(asked.course)
    path, done = export(course, asked.homework, asked.format, asked.output, **chosen)
    _say([*done.messages, path])
    return _warned(done.to_check)


@_command(
    "Keep",
    _file("--output", "a file, or a folder for it; default: backups/ in the course"),
    homework=False,
)
def backup(asked: Asked) -> int:
    """Write a backup of the course into one zip.

    Only you may read it. docs/one-server.md lists what is in it, and how to put it back.
    """
    from hw_grading.backup import back_up
    from hw_grading.homework.course import Course

    path, left_out = back_up(Course(asked.course), asked.output)
    _say([f"{path}, {path.stat().st_size / 1e6:,.1f} MB"])
    return _warned(f"not in the backup: {line}" for line in left_out)


# -- what commands share


def _me() -> str:
    """Return the user's name, or "staff" if the machine has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # for example in a container
        return "staff"


def _say(lines: Iterable[object]) -> None:
    from hw_grading.gradebook.writing import say

    say("\n".join(map(str, lines)))


def _columns(asked: Asked) -> dict[str, str]:
    """Return the titles of a worksheet's columns that the user named, by what they have."""
    named = [name.removeprefix("--column-") for name, *_ in _WORKSHEET]
    titles = {what: getattr(asked, f"column_{what}") for what in named}
    return {what: title for what, title in titles.items() if title}


def _warned(sentences: Iterable[str]) -> int:
    """Print warnings, and return the exit status."""
    from hw_support.failures import visible

    lines = [f"warning: {visible(sentence)}" for sentence in sentences]
    print(*lines, sep="\n", end="\n" if lines else "", file=sys.stderr)
    return TO_DO if lines else FINE


def _nbgrader(step: str, asked: Asked, more: Sequence[str] = ()) -> int:
    """Run a step of nbgrader, which takes one student or all."""
    from hw_grading.homework.course import Course

    course = Course(asked.course)
    course.expect_homework(asked.homework)  # nbgrader would name a folder of a student
    chosen = [[f"--student={student}"] for student in asked.student] or [[]]
    done = [course.nbgrader(step, asked.homework, *student, *more) for student in chosen]
    return TO_DO if any(done) else FINE


def _page(asked: Asked) -> Path:
    """Return the path of the page that a command writes."""
    from hw_grading.gradebook.writing import expect_ending

    page = asked.output or asked.course / f"{asked.command}_{asked.homework}.html"
    return expect_ending(page, "--output", ".html", ".htm")


# -- the program


def parser_of_all() -> argparse.ArgumentParser:
    """Return the parser of all commands, whose help lists them by the phases of a term."""
    lines = ["Grades the homeworks of a course. The commands, in the order of a term:"]
    for phase, commands in PHASES.items():
        lines += ["", f"{phase}:", *(f"  {name:<12}{line}" for name, line in commands.items())]
    _PARSER.description = "\n".join([*lines, _HOW])
    return _PARSER


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, run one command, and return its exit status.

    It is 0 if all is fine, 1 if there is something left to do, 2 if it could not be done, 130 if it
    was stopped by Ctrl-C, or nobody reads its output.
    """
    parser = parser_of_all()
    asked, more = parser.parse_known_args(arguments)
    asked.more, asked.course = more, asked.course or Path.cwd()
    if more and not asked.takes_more:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    try:
        if asked.needs_course:
            _expect_course(asked)
        status: int = asked.run(asked) or FINE
        sys.stdout.flush()
    except BrokenPipeError:  # as in `report … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes at the end
        return STOPPED
    except KeyboardInterrupt:
        print("\nStopped before it was done. Type the same command again.", file=sys.stderr)
        return STOPPED
    except ImportError as missing:
        install = f'Type: "{sys.executable}" -m pip install -r requirements.lock'
        activate = "or, in the course's environment: source .venv/bin/activate"
        lines = (f"FIX   packages    {missing}", f"      {install}", f"      {activate}")
        print(*lines, sep="\n", file=sys.stderr)
        return CANNOT
    except Exception as error:
        return _failed(error)
    return status


def _failed(error: Exception) -> int:
    """Print the message of an error that is meant for people; raise any other."""
    from hw_grading.gradebook.writing import in_words
    from hw_support.failures import visible
    from hw_support.submission.file import UserError

    if not isinstance(error, UserError | OSError | RuntimeError):
        raise error
    print(visible(in_words(error)), file=sys.stderr)
    return CANNOT


def _expect_course(asked: Asked) -> None:
    """Raise `RuntimeError` if a folder has neither settings nor a homework."""
    if any((asked.course / f"nbgrader_config{suffix}").is_file() for suffix in (".py", ".json")):
        return
    from hw_grading.homework.course import Course

    if not Course(asked.course).homeworks():
        raise RuntimeError(
            f"There is no nbgrader_config.py in {asked.course.absolute()}. Go to the course's "
            f"folder, or type: {_PROGRAM} --course FOLDER {asked.command}"
        )
