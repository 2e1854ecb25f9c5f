"""Tries a homework's tests: on its solutions, on wrong answers, on other forms, on kept answers.

Every answer is a job for the class's own workers, cut down to the cells that it can change. Results
are kept in the course: a second run repeats only what has changed, and nothing if nothing has.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

import nbformat

from hw_grading.grade.job import installed
from hw_grading.grade.settings import WholeClass
from hw_grading.homework.cells import as_released
from hw_grading.homework.course import CONFIG, Course, fixed_folder, released_copy
from hw_grading.homework.homework import STAFF
from hw_grading.homework.source_notebook import mistakes
from hw_grading.texts import in_digits, write_whole
from hw_grading.trying import kept
from hw_grading.trying.answers import try_forms, try_kept, try_without_knowledge
from hw_grading.trying.calls import Recorded, recorded
from hw_grading.trying.habits import habits
from hw_grading.trying.plan import Plan
from hw_grading.trying.report import Tried, write_page
from hw_grading.trying.submitting import Grading, Result
from hw_grading.trying.survivors import try_wrong_answers
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

_FOLDER = "tried"  # in the folder of the class's results
_SETTINGS = {".py", ".yml", ".ipynb"}  # files that several homeworks share
_DEAR_CPU_SECONDS = 2.0  # of a test for which a part of its points is enough


@dataclass(frozen=True)
class Options:
    """What is tried: mutants of each answer (0: all), also what takes long, and from which seed."""

    mutants: int = 20
    everything: bool = False
    seed: int = 1

    @property
    def seeds(self) -> int:
        """How many times the solutions are graded, each time with other fresh cases."""
        return 5 if self.everything else 3


def try_tests(course: Course, assignment: str, options: Options) -> tuple[Tried, Path]:
    """Try the tests of a homework; see the command ``hw-grading try``. Return also the page.

    The course gets no other file but results that are kept. `UserError` if it has no such homework,
    or if it cannot be released or graded.
    """
    course.expect_homework(assignment)
    own = WholeClass(config=course.config)
    folder = own.place(course.root).absolute() / _FOLDER
    page, report = folder / f"{assignment}.html", folder / f"{assignment}.report.json"
    about = _digest_of_all(course, assignment, options)
    tried = Tried.read(report, about)
    if not tried:
        tried = _tried(course, assignment, options, folder)
        if not tried.stopped:
            write_whole(report, tried.as_json(about))
    write_page(page, [tried])
    return tried, page


def _tried(course: Course, assignment: str, options: Options, folder: Path) -> Tried:
    _expect_python(course, assignment)
    with tempfile.TemporaryDirectory(prefix="hw-try-") as place, ExitStack() as stack:
        scratch = released_copy(course, assignment, Path(place))
        grading = Grading(scratch, assignment, folder, options.everything, stack)
        tried = Tried(
            assignment,
            points=sum(cell.points for cell in grading.cells),
            solutions=sum(cell.solutions or 0.0 for cell in grading.cells),
            untouched=sum(cell.untouched or 0.0 for cell in grading.cells),
            findings=[sentence for cell in grading.cells for sentence in cell.findings],
            digest=digest_of(scratch, assignment),
            habits=habits(course, scratch, assignment),
            none_passes=bool(grading.cells) and not grading.sound,
        )
        grading.findings = tried.findings
        try:
            if grading.sound:
                _try_all(grading, tried, options, course.root / STAFF / assignment / kept.FOLDER)
        except KeyboardInterrupt:
            tried.stopped = True  # the report shows what is known
    return tried


def _expect_python(course: Course, assignment: str) -> None:
    """Raise `UserError` with a line for each cell that cannot be tried, as a release does."""
    wrong = []
    for path in course.sources(assignment):
        try:
            notebook = nbformat.read(path, as_version=4)
        except ValueError:  # the release says what is wrong
            continue
        wrong += [f"{path}: {one}" for one in mistakes(notebook) if "not valid Python" in one]
    if wrong:
        raise UserError("\n".join([*wrong, "Nothing was tried. Mend this, then try again."]))


def _digest_of_all(course: Course, assignment: str, options: Options) -> str:
    """Return a digest of everything on which a report depends, hexadecimal."""
    about = installed(), course.homework(assignment).digest(), astuple(options)
    digest = hashlib.sha256(repr(about).encode())
    source, staff = course.source(assignment), course.root / STAFF / assignment
    shared = course.root, fixed_folder(course.directory, course.directory.source_directory)
    paths = [*staff.rglob("*"), *source.glob("*.ipynb"), course.folder / f"{CONFIG}.py"]
    paths += [path for folder in shared for path in folder.iterdir() if path.suffix in _SETTINGS]
    for path in sorted(path for path in {*paths} if path.is_file()):
        digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def digest_of(course: Course, assignment: str) -> str:
    """Return a digest of a homework's code cells and staff code, 16 hexadecimal digits.

    If it has changed, so may have what is found out.
    """
    digest = hashlib.sha256()
    for path in course.notebooks_in(course.source(assignment), assignment):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                digest.update(f"{grade_id_of(cell)}\0{cell.source}\0".encode())
    staff = course.root / STAFF / assignment
    for path in sorted([*staff.rglob("*.py"), *staff.rglob("kept.toml")]):
        digest.update(path.relative_to(staff).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _try_all(grading: Grading, tried: Tried, options: Options, answers: Path) -> None:
    _find_out_what_tests_need(grading, tried, options)
    _try_other_seeds(grading, tried, options)
    calls, visible = _recorded(grading, fresh=True), _recorded(grading, fresh=False)
    for plan in grading.plans:
        for name, facts in calls[plan.name]["facts"].items():
            if facts["table"]:
                tried.varied.append(
                    "\n    ".join([f"{name} ({plan.name}.ipynb):", *facts["table"]])
                )
    most = 0 if options.everything else options.mutants
    try_forms(grading, tried, calls)
    try_without_knowledge(grading, tried, visible, answers)
    try_kept(grading, tried, answers)
    try_wrong_answers(grading, tried, calls, most, options.seed)


def _find_out_what_tests_need(grading: Grading, tried: Tried, options: Options) -> None:
    """Leave out tests that the solutions do not pass, and those that take long.

    A test that needs a long cell, such as a training, is tried without it, by the points that the
    solutions get then.
    """
    cut: dict[str, Result] = {}

    def first(plan: Plan, test: str, result: Result) -> None:
        cut[test] = result
        grading.seconds[test] = result.cpu_seconds
        if result.lost and test in grading.sound:
            plan.whole.add(test)

    def again(plan: Plan, test: str, result: Result) -> None:
        is_dear = result.took_long or result.cpu_seconds > _DEAR_CPU_SECONDS
        if is_dear and (due := cut[test].earned.get(test, 0.0)):
            plan.whole.remove(test)
            grading.due[test] = due
            parts = [quoted(p.name) for p in cut[test].parts if not p.passed]
            lost = in_digits(cut[test].lost[test])
            of = in_digits(cut[test].lost[test] + due)
            tried.left_out.append(f"{test}: {lost} of {of} points, in {', '.join(parts)}")
            return
        grading.seconds[test] = result.cpu_seconds
        if result.lost:
            grading.sound = {*grading.sound} - {test}
            if result.took_long and not options.everything:
                tried.left_out.append(f"{test} (`--all` tries it)")
            else:
                tried.findings.append(
                    f"{test}: the solutions pass it, but not each time. {result.why}".strip()
                )

    for plan in grading.plans:
        for test in grading.usable(plan, plan.tests):
            name = f"the solutions in {test}"
            grading.ask(name, [(plan, [test], {})], partial(first, plan, test))
    grading.collect()
    for plan in grading.plans:
        for test in sorted(plan.whole):
            name = f"the solutions in {test}"
            grading.ask(name, [(plan, [test], {})], partial(again, plan, test))
    grading.collect()


def _try_other_seeds(grading: Grading, tried: Tried, options: Options) -> None:
    def note(result: Result) -> None:
        for part in result.parts:
            if not part.passed and part.cell in result.lost and part.points:
                tried.findings.append(
                    f"{part.cell}: with other fresh cases the solutions lose "
                    f"{in_digits(part.points)} points. {part.message}"
                )

    for number in range(2, options.seeds + 1):
        name, who = "the solutions with other fresh cases", f"(try {number})"
        grading.ask(name, grading.whole({}), note, who=who)


def _recorded(grading: Grading, *, fresh: bool) -> dict[str, Recorded]:
    """Return what the tests ask of the functions of each notebook: all, or as released."""
    found = {}
    for plan in grading.plans:
        functions = [name for cell in plan.answers.values() for name in cell.functions]
        tests = plan.sources(grading.usable(plan, plan.tests))
        if not fresh:
            tests = [(name, as_released(source, "code")) for name, source in tests]
        about = plan.reference, tests, functions, grading.homework, fresh
        nothing: Recorded = {"kinds": {}, "keys": {}, "facts": {}}
        found[plan.name] = grading.remembered(recorded, *about)() or nothing
    return found
