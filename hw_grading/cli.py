"""The staff's command line: ``hw-grading COMMAND``, or ``python -m hw_grading COMMAND``.

Each command is a function that calls a package, prints what it returns, and returns its status.
Its docstring is its help. Packages are slow to import, so a command imports them when it runs.
"""

import argparse
import atexit
import contextlib
import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from inspect import cleandoc
from pathlib import Path
from typing import Any

FINE, TO_DO, CANNOT, STOPPED = 0, 1, 2, 130
_PROGRAM = "hw-grading"
_HOW = f"""
To see the arguments of a command, type: {_PROGRAM} COMMAND --help
The exit status is 0 if all is fine, 1 if you have something to do, 2 if it failed."""

_ME = os.environ.get("LOGNAME") or os.environ.get("USER") or "staff"

Asked = argparse.Namespace
_Run = Callable[[Asked], int]
_Add = Callable[[Any], object]  # adds an argument to a parser

PARSER = argparse.ArgumentParser(
    _PROGRAM,
    usage=f"{_PROGRAM} [--course FOLDER] COMMAND ...",
    formatter_class=argparse.RawDescriptionHelpFormatter,
)
PARSER.add_argument(
    "--course", metavar="FOLDER", type=Path, default=Path(), help="the course; default: this folder"
)
_COMMANDS = PARSER.add_subparsers(
    dest="command", required=True, metavar="COMMAND", help=argparse.SUPPRESS, prog=_PROGRAM
)
_LINES: dict[str, list[str]] = {}  # of the help: one for each command, by the phase of a term


def _command(
    phase: str,
    *arguments: _Add,
    homework: bool = True,
    more: bool = False,
    waits: bool = False,
) -> Callable[[_Run], _Run]:
    """Register a command. With `more` it passes unknown options on, with `waits` it takes turns."""

    def register(run: _Run) -> _Run:
        about = cleandoc(run.__doc__ or "")
        summary = about.partition("\n\n")[0]
        line = summary[0].lower() + summary[1:].removesuffix(".")
        name = run.__name__.rstrip("_").replace("_", "-")
        _LINES.setdefault(phase, []).append(f"  {name:<12}{line}")
        parser = _COMMANDS.add_parser(name, description=about, allow_abbrev=False)
        parser.set_defaults(run=run, takes_more=more, waits=waits, parser=parser)
        course: Any = {"type": Path, "default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
        parser.add_argument("--course", **course)  # may stand behind the command too
        for add in ([_HOMEWORK] if homework else []) + [*arguments]:
            add(parser)
        return run

    return register


def _argument(name: str, text: str, **how: Any) -> _Add:
    return lambda parser: parser.add_argument(name, help=text, **how)


def _one_of(*arguments: _Add) -> _Add:
    def add(parser: argparse.ArgumentParser) -> None:
        group = parser.add_mutually_exclusive_group(required=True)
        for argument in arguments:
            argument(group)

    return add


_switch = partial(_argument, action="store_true")
_text = partial(_argument, metavar="TEXT", default="")
_file = partial(_argument, metavar="FILE", type=Path)
_number = partial(_argument, metavar="NUMBER", type=int)
_points = partial(_argument, metavar="POINTS", type=float)
_students = partial(_argument, "--student", metavar="ID", action="append", default=[])
_ONLY = _students("only this student; repeatable")
_FORMATS = ["canvas", "moodle", "questions"]
_HOMEWORK = _argument("homework", "the homework's name, such as hw3")
_CANVAS = _switch("--canvas", "by Canvas' API: show what would be sent")
_SEND = _switch("--send", "with --canvas: send it")
_ROSTER = _file("--roster", "the list of students; default: the course's students.csv")


@_command("Prepare", homework=False)
def doctor(asked: Asked) -> int:
    """Check whether this machine and this course are ready for grading.

    Each line reports that something is fine, or tells you what to type.
    """
    from hw_grading.doctor import doctor

    return FINE if doctor(asked.course) else TO_DO


@_command(
    "Prepare",
    _text("--from", "an earlier homework, to begin with a copy of it", metavar="HOMEWORK"),
)
def new(asked: Asked) -> int:
    """Write the notebook of a new homework, which you then change.

    In an empty folder it begins a course. With --from it copies the notebook, the manifest, and
    what is known of mistakes; items that graders added to rubrics stand in the mark schemes.
    """
    from hw_grading.commands.new import new, new_from

    if old := getattr(asked, "from"):
        return _say(new_from(asked.course, asked.homework, old))
    then = f"Write your questions into the notebook. Then type: {_PROGRAM} release {asked.homework}"
    return _say([*new(asked.course, asked.homework), then])


@_command(
    "Prepare",
    _argument("homework", "default: all homeworks", nargs="*"),
    _number("--mutants", "of each solution; default: 20", default=20),
    _switch("--all", "all mutants, more fresh cases, and tests that take long"),
    _file("--page", "one page on all homeworks, with what needs a decision, as Markdown"),
    homework=False,
)
def try_(asked: Asked) -> int:
    """Measures which wrong answers your tests miss.

    The class's own workers grade your solutions with several fresh cases, the untouched release,
    mutants of each solution and mistakes that students make, the solutions in other forms, answers
    without knowledge, and the answers that you keep in staff/<homework>/answers. A wrong answer
    that no test catches is shown with a case or an assert to paste into the test. A page has all
    lists. Results are kept: the next run tries what changed. Ctrl-C shows what is known.
    """
    from hw_grading.trying.report import write_page
    from hw_grading.trying.trying import try_tests

    tried = []
    for name in asked.homework or asked.course.homeworks():
        found, page = try_tests(asked.course, name, None if asked.all else asked.mutants)
        tried.append(found)
        _say([*found.lines(), page])
        if found.stopped:
            return STOPPED
    if asked.page:
        write_page(asked.page, tried, is_short=True)
    return FINE if all(one.is_fine for one in tried) else TO_DO


@_command("Prepare", _argument("homework", "default: all homeworks", nargs="*"), homework=False)
def release(asked: Asked) -> int:
    """Write the released notebooks, and the students' zips in dist/.

    First your solutions and the untouched release are graded. Nothing is released if a test takes
    a point from your solutions, cannot be run, or gives a point to the untouched release.
    """
    from hw_grading.commands.release import NotReleased, release
    from hw_support.checks.failures import visible

    try:
        zips, warnings = release(asked.course, asked.course.folder / "dist", asked.homework)
    except NotReleased as found:
        print(visible(str(found)), file=sys.stderr)
        return TO_DO
    return _say([f"Give students {path}" for path in zips], warnings)


@_command("Prepare")
def compare(asked: Asked) -> int:
    """Compare the scores of stock nbgrader with those of this grader.

    Grades your own solutions, and the untouched release, by both in a scratch copy of the course.
    Names also the test cells in which your solutions lose points, or get no score, and why.
    """
    from hw_grading.commands.compare import compare

    found = compare(asked.course, asked.homework)
    return _say(found.lines()) or (FINE if found.is_fine else TO_DO)


@_command(
    "Collect",
    _argument("downloads", "zips, folders or notebooks", nargs="*", type=Path),
    _switch("--canvas", "from Canvas itself, by its API"),
    _ROSTER,
    _file("--canvas-gradebook", "Canvas' gradebook; it maps Canvas ids to logins"),
    _file(
        "--moodle-worksheet",
        "the assignment's grading worksheet from Moodle, or one for each download, in order",
        action="append",
        default=[],
    ),
    _switch("--dry-run", "show the table, and write nothing"),
    _switch("--yes", "write without asking"),
)
def collect(asked: Asked) -> int:
    """Collect submissions from a learning platform's download.

    Recognises downloads of Canvas, Gradescope and Moodle, and files named
    <student>_<homework>.ipynb. Shows a table, and asks before it writes anything. Students can
    change their names, so Canvas' gradebook and Moodle's worksheet say whose a file is. Download
    the worksheet with English as your language in Moodle. --canvas needs no download.
    """
    from hw_grading.lms.collect import collect
    from hw_support.submission.file import UserError

    if asked.canvas == bool(asked.downloads):
        raise UserError("name the downloads, or collect from Canvas itself: --canvas")
    names = ["roster", "canvas_gradebook", "canvas", "dry_run", "yes"]
    chosen = {name: getattr(asked, name) for name in names}
    chosen["moodle_worksheets"] = asked.moodle_worksheet
    is_done = collect(asked.course.folder, asked.homework, asked.downloads, **chosen)
    return FINE if is_done else TO_DO


@_command(
    "Collect",
    _students("a student's id; repeatable"),
    _text("--until", 'a time, such as "2022-10-08 23:59"'),
    _text("--hours", "hours after the due date"),
    _text("--slip", "slip days that the student may use at most"),
    _text("--reason", "the reason, which only staff read"),
    _file("--from-csv", "grant what its rows say"),
    _switch("--remove", "remove the students' extensions"),
    _switch("--list", "list all extensions"),
)
def extend(asked: Asked) -> int:
    """Give students more time for a homework, or slip days.

    Times are in the homework's time zone. A CSV file has the columns student, until or hours, slip,
    reason, and homework if it is for several.
    """
    from hw_grading.commands.extend import Extensions, rows_of

    extensions = Extensions(asked.course, asked.homework)
    if asked.list:
        return _say(extensions.listed())
    if asked.remove:
        return _say(extensions.remove(asked.student))
    rows = [("", vars(asked) | {"student": student}) for student in asked.student]
    return _say(extensions.grant(rows_of(asked.from_csv) if asked.from_csv else rows, _ME))


@_command(
    "Collect",
    _students("a student's id; repeatable"),
    _switch("--all", "everybody on the list who submitted nothing"),
    _switch("--left", "the students left the course: no homework waits for them"),
    _text("--reason", "the reason, which only staff read"),
    _switch("--remove", "take back what was said of the students"),
    _switch("--list", "list all that was said"),
)
def absent(asked: Asked) -> int:
    """Say that students submitted nothing and get 0, or left the course.

    Such students are no longer open in the report. Exports have 0 points, or no score of those who
    left. If a student submits after all, the submission counts.
    """
    from hw_grading.commands.absent import Absences
    from hw_support.submission.file import UserError

    absences = Absences(asked.course, asked.homework)
    if asked.list:
        return _say(absences.listed())
    if asked.remove:
        return _say(absences.remove(absences.zeros() if asked.all else asked.student))
    if asked.all and asked.left:
        raise UserError("--left goes with --student: name the students who left")
    students = absences.missing() if asked.all else asked.student
    return _say(absences.say(students, left=asked.left, reason=asked.reason, author=_ME))


@_command("Grade", _ONLY, more=True)
def grade(asked: Asked) -> int:
    """Grade the submissions that are new or changed.

    Runs `nbgrader autograde`, and passes all other options on to it. With --force it saves all
    scores again, and runs what changed.
    """
    from hw_grading.homework.course import shelf_of

    _expect_gradable(asked)
    status = _nbgrader("autograde", asked, asked.more)
    about = asked.course.directory
    shelf = shelf_of(about, about.submitted_directory, asked.homework)
    if status and not any(shelf.parent.glob(f"*/{shelf.within}")):
        then = f"{_PROGRAM} collect {asked.homework} DOWNLOAD"
        print(f"Nothing was submitted. Collect it first: {then}", file=sys.stderr)
    return status


@_command(
    "Grade",
    _argument("notebook", "the file, under any name", metavar="NOTEBOOK", type=Path),
    _text("--homework", "required: the homework's name, such as hw3", required=True),
    _file("--json", "write the result as JSON; -: to the standard output"),
    homework=False,
    waits=True,
)
def grade_file(asked: Asked) -> int:
    """Grade one notebook, and print its result or write it as JSON.

    It is graded as in a class. No student and no score is saved. The exit status is 0 if it was
    graded, 1 if not; then the reason is printed, and is in the JSON.
    """
    from hw_grading.commands.grade_file import grade_file, in_lines, not_graded
    from hw_grading.texts import message_of, say, write_whole
    from hw_support.checks.failures import visible
    from hw_support.submission.file import UserError

    try:
        result = grade_file(asked.course, asked.homework, asked.notebook, gate=asked.gate)
        why = ""
    except (UserError, OSError) as error:
        why = message_of(error)
        result = not_graded(asked.homework, why)
    text = json.dumps(result, indent=1)
    if asked.json == Path("-"):
        say(text)
    elif asked.json:
        write_whole(asked.json, f"{text}\n".encode())
    if why:
        print(visible(why), file=sys.stderr)
    elif asked.json != Path("-"):
        _say(in_lines(result))
    return TO_DO if why else FINE


@_command(
    "Grade",
    _number("--every", "seconds between two looks; default: 60", default=60),
    _switch("--once", "look once"),
)
def watch(asked: Asked) -> int:
    """Collect, grade and give feedback again and again, until the homework is due.

    For a course whose students hand in through nbgrader's exchange. Their feedback has what the
    tests gave, with its messages, and nothing that people gave. Start it again at any time: it does
    what is left to do.
    """
    from hw_grading.commands.watch import watch
    from hw_grading.texts import say

    _expect_gradable(asked)
    watch(asked.course, asked.homework, seconds=asked.every, is_once=asked.once, say=say)
    return FINE


@_command("Grade", _text("--grid", "begin with all answers to this question"), more=True)
def desk(asked: Asked) -> int:
    """Grade by hand in the browser.

    Opens the desk of a homework. Passes all other options on to Jupyter Server, such as --port=9000
    or --no-browser.
    """
    from hw_grading.desk.app import serve

    serve(asked.course.folder, asked.homework, asked.grid, asked.more)
    return FINE


@_command("Grade")
def report(asked: Asked) -> int:
    """Print a table of points and failures."""
    from hw_grading.analysis.report import report

    return _say([report(asked.course.folder, asked.homework)])


@_command("After grading", _ONLY)
def regrade(asked: Asked) -> int:
    """Grade again after a change, and show whose score changed and why.

    Releases the homework again if its notebook was edited. Runs the submissions that a change
    affects. Keeps scores that people gave. Also writes the table to grading/regrades, and anew what
    the release says to students' commands.
    """
    from hw_grading.analysis.regrade import Regrade
    from hw_grading.commands.student_zip import write_student_zip
    from hw_grading.texts import say

    regrade = Regrade(asked.course.folder, asked.homework, asked.student, say)
    is_done = regrade.run()
    out = asked.course.folder / "dist"
    if regrade.is_described_anew and (out / f"{asked.homework}.zip").exists():
        path, _ = write_student_zip(asked.course, out, asked.homework)
        say(f"{path} is written again: it has what students need to check their work.")
    return FINE if is_done else TO_DO


@_command(
    "After grading",
    _students("required: a student's id; repeatable", required=True),
    _text("--test", "grade id, question or heading; default: all tests that cost points"),
    _switch("--verbose", "also the seed of the fresh cases"),
)
def explain(asked: Asked) -> int:
    """Show why a student lost points: each part of a test with its message, as it was graded.

    Runs and writes nothing.
    """
    from hw_grading.analysis.explain import explain

    return _say(
        explain(asked.course.folder, asked.homework, student, asked.test, verbose=asked.verbose)
        for student in asked.student
    )


@_command(
    "After grading",
    _argument("question", "its grade id, or its label, such as '1.3b iv'", nargs="?", default=""),
    _one_of(
        _points("--add", "points to add; may be negative"),
        _switch("--drop", "the question no longer counts"),
        _switch("--full-marks", "everybody gets all its points"),
        _points("--to", "the points of each --student"),
        _number("--undo", "undo a correction"),
        _switch("--list", "list all corrections, also undone ones"),
    ),
    _students("a student's id, for --to; repeatable"),
    _switch("--answered", "with --add: only for those who answered the question"),
    _text("--reason", "the reason, which students read"),
    _switch("--dry-run", "show whose points would change, and change nothing"),
)
def correct(asked: Asked) -> int:
    """Change the points of a question after grading, for everybody or for single students.

    Students read the reason.
    """
    from hw_grading.commands.correct import Corrections
    from hw_grading.gradebook.corrections import CorrectionKind
    from hw_support.submission.file import UserError

    corrections = Corrections(asked.course, asked.homework)
    if asked.list:
        return _say(corrections.listed())
    if asked.undo is not None:
        return _say(corrections.undo(asked.undo, _ME))
    if asked.answered and asked.add is None:
        raise UserError("--answered goes with --add: it says who gets these points")
    if asked.drop:
        kind = CorrectionKind.DROP
    elif asked.full_marks:
        kind = CorrectionKind.FULL
    elif asked.to is not None:
        kind = CorrectionKind.SET
    else:
        kind = CorrectionKind.ANSWERED if asked.answered else CorrectionKind.ADD
    return _say(
        corrections.correct(
            asked.question,
            kind,
            points=asked.add or asked.to or 0.0,
            reason=asked.reason,
            author=_ME,
            students=asked.student,
            dry_run=asked.dry_run,
        )
    )


@_command(
    "After grading",
    _switch("--all", "also the mistakes of one student alone"),
    _text("--store", "write how many had each named mistake in this term, such as 2026-fall"),
)
def mistakes(asked: Asked) -> int:
    """Show what a class got wrong: points by question, and answers that failed alike.

    Of each group: how many students, the points that they lost, the message, and the sentence that
    they read in their feedback. The desk's page Mistakes also has their code. There you name a
    mistake, or give its points. --store counts named mistakes for those who teach next year.
    """
    from hw_grading.analysis.mistakes import store_terms, table

    said = [table(asked.course, asked.homework, everything=asked.all)]
    if asked.store:
        said += store_terms(asked.course, asked.homework, asked.store)
    return _say(said)


@_command("After grading", _argument("folder", "where to write", metavar="FOLDER", type=Path))
def code(asked: Asked) -> int:
    """Write each student's code to a file, for a program that finds similar code.

    Also writes the code of the release, which such a program leaves out.
    """
    from hw_grading.analysis.code import write_code

    left_out = write_code(asked.course.folder, asked.homework, asked.folder)
    return _say([asked.folder], (f"{one} is left out: {why}" for one, why in left_out.items()))


@_command(
    "Give back",
    _ONLY,
    _argument(
        "--zip",
        "also pack the pages for this platform; plain: files named by id",
        choices=("canvas", "moodle", "plain"),
    ),
    _switch("--pdf", "the zip has each graded notebook as PDF too"),
    _CANVAS,
    _SEND,
    _ROSTER,
    more=True,
)
def feedback(asked: Asked) -> int:
    """Write a page of feedback for each student.

    Runs `nbgrader generate_feedback`, and passes all other options on to it. Pages of which a
    score, a comment or a sentence has changed are written again, and named; with --force all pages
    are. Then `nbgrader release_feedback`, if the homework was collected through the
    exchange. --zip packs the pages under the names of the files that you collected: upload it in
    Moodle with "Upload multiple feedback files in a zip", in Canvas with "Upload Submissions".
    --canvas gives the pages to Canvas, each as a comment's file on the attempt that was graded.
    """
    from nbgrader.exchange.default import Exchange

    from hw_grading.lms.feedback_zip import older_pages, pack_feedback, remove_pages
    from hw_grading.texts import counted, named
    from hw_support.submission.file import UserError

    if asked.send and not asked.canvas:
        raise UserError("--send goes with --canvas")
    course = asked.course
    older = older_pages(course, asked.homework, asked.student)
    remove_pages(course, asked.homework, older)  # nbgrader writes only pages that are missing
    status = _nbgrader("generate_feedback", asked, asked.more)
    if older:
        _say([f"Pages that changed ({len(older)}): {named(older, 12)}"])
    inbound = Path(Exchange(config=course.config).root, course.directory.course_id, "inbound")
    if any(f"+{asked.homework}+" in folder.name for folder in inbound.glob("*")):
        status = max(status, _nbgrader("release_feedback", asked))
    if asked.zip:
        chosen = {"roster": asked.roster, "students": asked.student, "with_pdf": asked.pdf}
        done = pack_feedback(course, asked.homework, asked.zip, **chosen)
        said = f"{done.path}: the feedback of {counted(len(done.students), 'student')}"
        status = max(status, _say([said], done.left_out))
    if asked.canvas:
        from hw_grading.lms.canvas_sending import send_feedback

        chosen = {"roster": asked.roster, "students": asked.student, "send": asked.send}
        status = max(status, _say_left(send_feedback(course, asked.homework, **chosen)))
    return status


@_command(
    "Give back",
    _one_of(_argument("--format", "the kind of file", choices=_FORMATS), _CANVAS),
    _SEND,
    _file("--fill", "Canvas' gradebook or Moodle's grading worksheet, to fill in"),
    _file("--output", "the file to write; default: <homework>_<format>.csv"),
    _text("--column", "the homework's column, if the command cannot find it"),
    _ROSTER,
    _ONLY,
)
def export(asked: Asked) -> int:
    """Export grades for Canvas, Moodle, or by question.

    canvas and moodle fill in the file that you downloaded there; students without a score keep
    their old value. moodle also fills in comments: total, lateness, what failed. questions
    writes a new table. All scores are final scores. The last line says what is left to do.
    --canvas shows whose points differ on Canvas, and writes no file; with --send it sends them.
    """
    from hw_grading.lms.export import export
    from hw_support.submission.file import UserError

    if asked.send and not asked.canvas:
        raise UserError("--send goes with --canvas")
    if asked.canvas:
        from hw_grading.lms.canvas_sending import send_points

        if asked.fill or asked.output or asked.column:
            raise UserError("--canvas fills in no file. Leave out --fill, --output and --column")
        how = {"roster": asked.roster, "students": asked.student, "send": asked.send}
        return _say_left(send_points(asked.course, asked.homework, **how))
    chosen = {name: getattr(asked, name) for name in ("fill", "roster", "column")}
    chosen["students"] = asked.student
    path, done = export(asked.course, asked.homework, asked.format, asked.output, **chosen)
    status = _say([done.message, path], done.to_check)
    _say([done.last_line])
    return status


@_command(
    "Keep",
    _argument("student", "the student's id"),
    _switch("--yes", "do not ask"),
    homework=False,
)
def remove(asked: Asked) -> int:
    """Remove a student who left, from all homeworks.

    Removes the scores, comments and runs in the gradebook, the records in grading/, and the
    student's folders. Make a backup first. Lines in students.csv are yours to remove.
    """
    from hw_grading.commands.remove import remove
    from hw_grading.texts import agreed

    if not asked.yes and not agreed(f"Remove all that is known of {asked.student!a}?"):
        return _say(["Nothing was removed."])
    return _say(f"removed: {line}" for line in remove(asked.course, asked.student))


@_command("Keep", _file("--output", "its folder; default: backups/ in the course"), homework=False)
def backup(asked: Asked) -> int:
    """Write a backup of the course into one zip.

    Only you may read it. To put it back, unzip it into an empty folder, and copy what is in its
    folder ``outside`` to the paths that it has there.
    """
    from hw_grading.backup import back_up

    path, left_out = back_up(asked.course, asked.output)
    line = f"{path}, {path.stat().st_size / 1e6:,.1f} MB"
    return _say([line], (f"not in the backup: {line}" for line in left_out))


@_command("Keep", homework=False)
def leave(asked: Asked) -> int:
    """Make the course one of stock nbgrader again; removes nothing that was graded.

    Writes points and due dates into the source notebooks, removes the descriptions of releases, and
    says which settings go.
    """
    from hw_grading.commands.leave import leave

    return _say(leave(asked.course))


# -- what commands share


def _say(lines: Iterable[object], warnings: Iterable[str] = ()) -> int:
    """Print lines, and warnings to the standard error; return the exit status."""
    from hw_grading.texts import say
    from hw_support.checks.failures import visible

    say("\n".join(map(str, lines)))
    status = FINE
    for warning in warnings:
        print(f"warning: {visible(warning)}", file=sys.stderr)
        status = TO_DO
    return status


def _say_left(to_check: Sequence[str]) -> int:
    return _say(["Still to do:" if to_check else "Nothing is left to do."], to_check)


def _expect_gradable(asked: Asked) -> None:
    """Raise `UserError` if nbgrader does not use this grader, or does not know the homework."""
    from hw_grading.configuration import NOT_CONFIGURED, is_configured
    from hw_grading.gradebook.database import Database
    from hw_support.submission.file import UserError

    if not is_configured(asked.course.config):
        raise UserError(
            f"the course in {asked.course.root} does not use this grader. {NOT_CONFIGURED}"
        )
    asked.course.expect_homework(asked.homework)
    Database(asked.course.db_url).expect_homework(asked.homework)  # nbgrader would make it first


def _nbgrader(step: str, asked: Asked, more: Sequence[str] = ()) -> int:
    """Run a step of nbgrader, which takes one student or all."""
    asked.course.expect_homework(asked.homework)  # nbgrader would name a folder of a student
    chosen = [[f"--student={student}"] for student in asked.student] or [[]]
    done = [asked.course.nbgrader(step, asked.homework, *student, *more) for student in chosen]
    return TO_DO if any(done) else FINE


# -- the program

# Python looks for garbage when it ends, among all that was imported.
atexit.register(gc.freeze)

PARSER.description = "\n".join(
    ["Grades the homeworks of a course. The commands, in the order of a term:"]
    + [line for phase, lines in _LINES.items() for line in ("", f"{phase}:", *lines)]
    + [_HOW]
)


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let a command that is told to end remove its temporary folders: a release copies a source."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, end) if in_main else None
    try:
        yield
    finally:
        if in_main:
            signal.signal(signal.SIGTERM, before)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, run one command, and return its exit status.

    It is 0 if all is fine, 1 if there is something left to do, 2 if it could not be done, 130 if it
    was stopped by Ctrl-C, or nobody reads its output.
    """
    asked, more = PARSER.parse_known_args(arguments)
    if more and not asked.takes_more:
        asked.parser.error(f"unrecognized arguments: {' '.join(more)}")
    try:
        with _ended_in_order(), contextlib.ExitStack() as ending:
            if asked.waits and asked.course.is_dir():
                from hw_grading.grade.turns import Gate  # before anything is imported that is large

                asked.gate = ending.enter_context(contextlib.closing(Gate(asked.course)))
                from hw_grading.grade import early

                early.begin()
            from hw_grading.homework.course import Course

            asked.more, asked.course = more, Course(asked.course)
            _expect_course(asked)
            status: int = asked.run(asked)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # as in `report … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes at the end
        return STOPPED
    except KeyboardInterrupt:
        print("\nStopped before it was done. Type the same command again.", file=sys.stderr)
        return STOPPED
    except ImportError as missing:
        from hw_grading import REQUIREMENTS

        install = f'Type: "{sys.executable}" -m pip install {REQUIREMENTS}'
        activate = "or, in the course's environment: source .venv/bin/activate"
        print(f"FIX   packages    {missing}", install, activate, sep="\n      ", file=sys.stderr)
        return CANNOT
    except Exception as error:
        from hw_grading.texts import message_of
        from hw_support.checks.failures import visible
        from hw_support.submission.file import UserError

        if not isinstance(error, UserError | OSError):  # a bug
            raise
        print(visible(message_of(error)), file=sys.stderr)
        return CANNOT


def _expect_course(asked: Asked) -> None:
    """Raise `UserError` if a folder has neither settings nor homeworks."""
    folder, names = asked.course.folder, ("nbgrader_config.py", "nbgrader_config.json", "source")
    if asked.command == "new":
        from hw_grading.commands.new import is_empty

        if is_empty(folder):  # where a course begins
            return
    if not any((folder / name).exists() for name in names):
        from hw_support.submission.file import UserError

        raise UserError(
            f"There is no nbgrader_config.py in {folder.absolute()}. Go to the course's folder, "
            f"or type: {_PROGRAM} --course FOLDER {asked.command}"
        )
