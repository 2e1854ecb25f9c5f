"""Tries a homework's tests: on its solutions, on wrong answers, on other forms, on kept answers.

Every answer is a job for the class's own workers, cut down to the cells that it can change. Results
are kept in the course: a second run repeats only what has changed, and nothing if nothing has.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import nbformat

from hw_grading.grade.job import installed
from hw_grading.grade.settings import WholeClass
from hw_grading.homework.course import CONFIG, Course, fixed_folder, released_copy
from hw_grading.homework.layout import STAFF
from hw_grading.homework.notebook import as_released
from hw_grading.homework.source_notebook import mistakes
from hw_grading.mistakes.known import Mistake, read_mistakes
from hw_grading.mistakes.proposed import FOLDER, write_proposed
from hw_grading.texts import in_digits
from hw_grading.trying import kept
from hw_grading.trying.answers import try_forms, try_kept, try_without_knowledge
from hw_grading.trying.calls import Recorded, recorded
from hw_grading.trying.habits import habits
from hw_grading.trying.plan import Plan
from hw_grading.trying.report import Tried, write_page
from hw_grading.trying.submitting import Grading, Submitted, TrialResult, names
from hw_grading.trying.survivors import try_wrong_answers
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

_SETTINGS = {".py", ".yml", ".ipynb"}  # files that several homeworks share
_DEAR_CPU_SECONDS = 2.0  # of a test for which a part of its points is enough


def try_tests(course: Course, assignment: str, mutants: int | None) -> tuple[Tried, Path]:
    """Try the tests of a homework; see the command ``hw-grading try``. Return also the page.

    `mutants` is the number of those of each solution; None: all that can be tried, also what takes
    long.

    The course gets no other file but results that are kept. `UserError` if it has no such homework,
    or if it cannot be released or graded.
    """
    course.expect_homework(assignment)
    folder = WholeClass(config=course.config).place(course.root).absolute() / FOLDER
    page, report = folder / f"{assignment}.md", folder / f"{assignment}.report.json"
    about = _digest_of_all(course, assignment, mutants)
    tried = Tried.read(report, about)
    if not tried:
        tried = _tried(course, assignment, mutants, folder)
        if not tried.stopped:
            tried.keep(report, about)
    write_page(page, [tried])
    write_proposed(folder, assignment, tried.proposed)
    return tried, page


def _tried(course: Course, assignment: str, mutants: int | None, folder: Path) -> Tried:
    _expect_python(course, assignment)
    with tempfile.TemporaryDirectory(prefix="hw-try-") as place, ExitStack() as stack:
        scratch = released_copy(course, assignment, Path(place))
        grading = Grading(scratch, assignment, folder, mutants is None, stack)
        tried = Tried(
            assignment,
            points=sum(cell.points for cell in grading.cells),
            solutions=sum(cell.solutions or 0.0 for cell in grading.cells),
            untouched=sum(cell.untouched or 0.0 for cell in grading.cells),
            findings=[sentence for cell in grading.cells for sentence in cell.findings],
            digest=homework_digest(scratch, assignment),
            habits=[said for plan in grading.plans for said in habits(plan)],
            none_passes=bool(grading.cells) and not grading.sound,
        )
        grading.findings = tried.findings
        try:
            if grading.sound:
                answers = course.root / STAFF / assignment / kept.FOLDER
                known = read_mistakes(course.root, assignment)
                _try_all(grading, tried, mutants, answers, known)
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
        wrong += [
            f"{path}: {mistake}" for mistake in mistakes(notebook) if "not valid Python" in mistake
        ]
    if wrong:
        raise UserError("\n".join([*wrong, "Nothing was tried. Repair this, then try again."]))


def _digest_of_all(course: Course, assignment: str, mutants: int | None) -> str:
    """Return a digest of everything on which a report depends, hexadecimal."""
    about = installed(), course.homework(assignment).digest(), mutants
    digest = hashlib.sha256(repr(about).encode())
    source, staff = course.source(assignment), course.root / STAFF / assignment
    shared = course.root, fixed_folder(course.directory, course.directory.source_directory)
    paths = [*staff.rglob("*"), *source.glob("*.ipynb"), course.folder / f"{CONFIG}.py"]
    paths += [path for folder in shared for path in folder.iterdir() if path.suffix in _SETTINGS]
    for path in sorted(path for path in {*paths} if path.is_file()):
        digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def homework_digest(course: Course, assignment: str) -> str:
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


def _try_all(
    grading: Grading, tried: Tried, mutants: int | None, answers: Path, known: Sequence[Mistake]
) -> None:
    _find_out_what_tests_need(grading, tried)
    _try_other_seeds(grading, tried, 2 if mutants is not None else 4)
    calls, visible = _recorded(grading, fresh=True), _recorded(grading, fresh=False)
    for plan, functions in calls.items():
        for name, facts in functions.items():
            if facts["table"]:
                tried.varied.append("\n    ".join([f"{name} ({plan}.ipynb):", *facts["table"]]))
    try_forms(grading, tried, calls)
    try_without_knowledge(grading, tried, visible, answers)
    try_kept(grading, tried, answers, known)
    try_wrong_answers(grading, tried, calls, mutants)


@dataclass(frozen=True)
class _Test:
    """A test that is run alone with the solutions."""

    plan: Plan
    name: str

    def __str__(self) -> str:
        return f"the solutions in {self.name}"

    def asked(self) -> tuple[_Test, Submitted]:
        return self, [(self.plan, [self.name], {})]


def _find_out_what_tests_need(grading: Grading, tried: Tried) -> None:
    """Leave out tests that the solutions do not pass, and those that take long.

    A test that needs a long cell, such as a training, is tried without it, by the points that the
    solutions get then.
    """
    every = [_Test(plan, t) for plan in grading.plans for t in grading.usable(plan, plan.tests)]
    failing: dict[_Test, TrialResult] = {}
    for test, result in grading.graded(one.asked() for one in every):
        grading.seconds[test.name] = result.cpu_seconds
        if result.lost:
            failing[test] = result
            test.plan.whole.add(test.name)
    for test, result in grading.graded([one.asked() for one in failing]):
        name, cut = test.name, failing[test]
        is_dear = result.took_long or result.cpu_seconds > _DEAR_CPU_SECONDS
        if is_dear and (due := cut.earned.get(name, 0.0)):
            test.plan.whole.remove(name)
            grading.due[name] = due
            parts = ", ".join(quoted(part.name) for part in cut.parts if not part.passed)
            lost = cut.lost[name]
            tried.left_out.append(
                f"{name}: {in_digits(lost)} of {in_digits(lost + due)} points, in {parts}"
            )
            continue
        grading.seconds[name] = result.cpu_seconds
        if result.lost:
            grading.sound = {*grading.sound} - {name}
            if result.took_long and not grading.everything:
                tried.left_out.append(f"{name} (`--all` tries it)")
            else:
                tried.findings.append(
                    f"{name}: the solutions pass it, but not each time. {result.why}".strip()
                )


def _try_other_seeds(grading: Grading, tried: Tried, times: int) -> None:
    asked = [("the solutions with other fresh cases", grading.whole({}))]
    for _, result in grading.graded(asked, who=names(times)):
        tried.findings += [
            f"{part.cell}: with other fresh cases the solutions lose "
            f"{in_digits(part.points)} points. {part.message}"
            for part in result.parts
            if not part.passed and part.cell in result.lost and part.points
        ]


def _recorded(grading: Grading, *, fresh: bool) -> dict[str, Recorded]:
    """Return what the tests ask of the functions of each notebook: all, or as released."""
    found = {}
    for plan in grading.plans:
        functions = [name for cell in plan.answers.values() for name in cell.functions]
        tests = plan.sources(grading.usable(plan, plan.tests))
        if not fresh:
            tests = [(name, as_released(source)) for name, source in tests]
        about = plan.reference, tests, functions, grading.homework, fresh
        facts = grading.remembered(recorded, *about)()
        if facts is None:
            grading.findings.append(f"{plan.name}.ipynb: the calls of its tests were not recorded")
        found[plan.name] = facts or {}
    return found
