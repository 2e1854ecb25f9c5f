"""The results of a homework: each student's points and final score, what failed, and why.

nbgrader's tables have the points, our own the last run of each submission, part by part. The
folders in `submitted/` say who else submitted. No notebook of a student is read, except to say why
it was not graded.
"""

import contextlib
import functools
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hw_grading.gradebook.absences import Absence, absences_in
from hw_grading.gradebook.comments import Comment, comments_on
from hw_grading.gradebook.corrections import Correction, applied, corrections_in
from hw_grading.gradebook.corrections import CorrectionKind as CorrectionKind
from hw_grading.gradebook.lateness import penalty_of, terms_of, used_by_homework
from hw_grading.gradebook.runs import Run, read_runs, unanswered_in
from hw_grading.gradebook.scores import (
    Score,
    ScoredCell,
    Student,
    SubmissionRecord,
    cells_of,
    open_gradebook,
    records_of,
    students_in,
    submissions_in,
)
from hw_grading.homework.course import Course, shelf_of
from hw_grading.homework.folders import read_time, why_unusable
from hw_grading.homework.homework import why_no_id
from hw_grading.homework.notebook import Places, order_in, read_places
from hw_grading.outcome import Status
from hw_grading.texts import typed
from hw_support.submission.file import UserError, read_submission
from hw_support.submission.problems import Kind


@dataclass(frozen=True)
class StudentResult:
    """One student's result in a homework."""

    student: Student
    record: SubmissionRecord | None = None  # in nbgrader's tables, with the scores
    run: Run | None = None  # the last one; None: not graded, or only by an earlier version
    # None if the student submitted nothing
    status: Status | None = None
    reason: str = ""  # for the status
    # For this student, including those that change nothing
    corrections: tuple[Correction, ...] = ()
    comments: tuple[Comment, ...] = ()  # on any answers, beside those of marks
    score: float = 0.0  # from tests, people and corrections, before the penalty
    penalty: float = 0.0  # points taken off for lateness, from 0 to `score`
    why_penalty: str = ""  # "1 d 2 h late: 10 % of all points for each day, so for 2 days"; or ""
    slip_days: int = 0  # that this homework uses
    # After this homework and those due before; None if the course has none
    slip_days_left: int | None = None

    @property
    def final(self) -> float:
        """The score that counts. It is never below zero."""
        return max(0.0, self.score - self.penalty)

    @property
    def known(self) -> SubmissionRecord:
        """The record; an empty one if there is none."""
        return self.record or SubmissionRecord(self.student.id)

    @property
    def dropped(self) -> frozenset[str]:
        """Grade ids of the cells that a correction dropped."""
        return frozenset(correction.cell for correction in self.corrections if correction.drops)

    @property
    def counting(self) -> list[Score]:
        """The scores of cells that no correction dropped."""
        dropped = self.dropped
        return [score for score in self.known.scores if score.cell.name not in dropped]

    @property
    def too_high(self) -> list[Score]:
        """The scores by people above the cell's points. A cell of 0 points may be a bonus."""
        counting = self.counting
        return [score for score in counting if 0 < score.cell.max_points < (score.manual or 0.0)]

    @property
    def unscored(self) -> frozenset[str]:
        """Grade ids of the tests that have no score."""
        scores = self.known.scores
        return frozenset(s.cell.name for s in scores if s.is_open and not s.cell.by_hand)

    def points(self, cell: str) -> float:
        """Return the points for one cell by its grade id, including corrections."""
        given = sum(score.points for score in self.known.scores if score.cell.name == cell)
        return given + sum(
            correction.points for correction in self.corrections if correction.cell == cell
        )


@dataclass(frozen=True)
class Results:
    """The results of a homework, by the student's id."""

    course: Course
    assignment: str
    places: Places  # also of ungraded cells; empty if the instructor's notebook is missing
    cells: tuple[ScoredCell, ...]  # with points, in the notebook's order
    students: dict[str, StudentResult]  # everybody in nbgrader's table, by id
    others: dict[str, StudentResult]  # who submitted, but is not in that table
    rules: "Rules"
    absent: dict[str, Absence]  # of whom a person said so, by id

    @property
    def left(self) -> list[str]:
        """The students who left the course."""
        return [student for student, one in self.absent.items() if one.has_left]

    @property
    def zeros(self) -> list[str]:
        """The students of whom a person said that they submitted nothing and get 0."""
        there = {result.student.id.casefold() for result in self.handed_in}
        return [s for s, a in self.absent.items() if not a.has_left and s.casefold() not in there]

    @property
    def counting(self) -> tuple[ScoredCell, ...]:
        """The cells that count: a correction may have dropped some."""
        return tuple(cell for cell in self.cells if cell.name not in self.rules.dropped)

    @property
    def max_score(self) -> float:
        """The total points that count."""
        return self.rules.most

    @property
    def handed_in(self) -> list[StudentResult]:
        """The results of those who submitted, by id."""
        everybody = {**self.students, **self.others}
        return [everybody[student] for student in sorted(everybody) if everybody[student].status]

    def of(self, student: str) -> StudentResult:
        """Return a student's result."""
        return self.students.get(student) or self.others[student]

    def as_of(self, student: str, run: Run) -> StudentResult:
        """Return a student's result with the points that the tests of another run gave."""
        now = self.students[student]
        earned: defaultdict[str, float] = defaultdict(float)
        for part in run.parts:
            earned[part.cell] += part.earned
        scores = tuple(
            score if score.cell.by_hand else replace(score, auto=earned.get(score.cell.name))
            for score in now.known.scores
        )
        record = replace(now.known, scores=scores)
        return replace(self.rules.final(now.student, record), run=run, status=run.status)


def read_results(
    course: Course,
    assignment: str,
    student: str | None = None,
    places: Places | None = None,
    *,
    with_parts: bool = True,
    planned: Sequence[Correction] = (),
) -> Results:
    """Read the results of a class, or of one student; `places` if they were read already.

    Without parts, runs have only what is known of the whole submission. `planned` corrections count
    as if they were stored.

    Raises `Unavailable`, `UserError` for the instructor's own notebook, `ManifestError`, or
    `SettingsError`.
    """
    if places is None:
        places = read_places(*course.notebooks_in(course.source(assignment), assignment))
    order = order_in(places)
    with open_gradebook(course.db_url, assignment) as (db, due):
        by_key = cells_of(db, assignment)
        known = records_of(db, assignment, by_key, student)
        in_table = {one.id: one for one in students_in(db, student)}
        runs = read_runs(db, assignment, student, with_parts=with_parts)
        absent = absences_in(db, assignment)
        said = comments_on(db, assignment, student=student)
        changes = [*corrections_in(db, assignment), *planned]
        asked = {change.cell for change in changes if change.kind is CorrectionKind.ANSWERED}
        unanswered = unanswered_in(db, assignment, asked, student) if asked else {}
        cells = tuple(sorted(by_key.values(), key=lambda cell: order(cell.name)))
        turns = functools.partial(submissions_in, db, student=student)
        rules = Rules(course, assignment, cells, changes, due[assignment], turns, unanswered)
    records = {}
    for record in known:
        scores = sorted(record.scores, key=lambda score: order(score.cell.name))
        records[record.student] = replace(record, scores=tuple(scores))
    comments: defaultdict[str, list[Comment]] = defaultdict(list)
    for remark in said:
        comments[remark.student].append(remark)
    those = {student} if student is not None else set(_found(course, assignment, set(due)))
    everybody = {}
    for one in sorted({*in_table, *records, *those}):
        row = records.get(one)
        result = rules.final(in_table.get(one, Student(one)), row)
        if row or one in those:
            run = runs.get(one) if row else None
            status, reason = (run.status, run.reason) if run else (Status.GRADED, "")
            result = replace(result, run=run, comments=tuple(comments[one]))
            if ungraded := _why_not_graded(course, assignment, result):
                status, reason = Status.NOT_GRADED, ungraded
            result = replace(result, status=status, reason=reason)
        everybody[one] = result
    listed = {name: one for name, one in everybody.items() if name in in_table}
    others = {name: one for name, one in everybody.items() if name not in in_table}
    return Results(course, assignment, places, cells, listed, others, rules, absent)


class Rules:
    """Rules that turn points into final scores: corrections, the late policy, slip days."""

    def __init__(
        self,
        course: Course,
        assignment: str,
        cells: tuple[ScoredCell, ...],
        changes: list[Correction],
        due: datetime | None,
        submissions: Callable[[], dict[str, SubmissionRecord]],  # reads those of all homeworks
        unanswered: Mapping[str, Collection[str]],  # tests that met no answer, by student
    ) -> None:
        self._assignment, self.due, self._unanswered = assignment, due, unanswered
        self._terms_of = functools.cache(functools.partial(terms_of, course))
        self.terms = self._terms_of(assignment)
        self._turns: defaultdict[str, list[SubmissionRecord]] = defaultdict(list)
        for one in submissions().values() if self.terms.slip_days else ():
            if one.due_for_all:
                self._turns[one.student].append(one)
        self.changes = changes
        self.dropped = {change.cell for change in changes if change.drops}
        self.most = sum(cell.max_points for cell in cells if cell.name not in self.dropped)

    def final(self, student: Student, record: SubmissionRecord | None) -> StudentResult:
        """Return a student's result with the final score."""
        used, left = self._slip_days(student.id)
        if record is None:
            return StudentResult(student, slip_days_left=left)
        unanswered = self._unanswered.get(student.id, ())
        corrections = applied(record, self.changes, unanswered)
        points = sum(score.points for score in record.scores) + sum(
            correction.points for correction in corrections
        )
        if self.terms.has_rules:
            penalty, why = penalty_of(self.terms, record, points, self.most, used)
        else:  # without a late policy, the penalty that nbgrader stored counts
            penalty = min(record.penalty, max(0.0, points))
            why = f"{record.late} late" if penalty and record.late else ""
        return StudentResult(
            student,
            record,
            corrections=tuple(corrections),
            score=points,
            penalty=penalty,
            why_penalty=why,
            slip_days=used,
            slip_days_left=left,
        )

    def _slip_days(self, student: str) -> tuple[int, int | None]:
        if not self.terms.slip_days:
            return 0, None
        turns = self._turns.get(student, [])
        used = used_by_homework(turns, self._terms_of)
        due = self.due
        until = sum(
            used[turn.assignment]
            for turn in turns
            if due and turn.due_for_all and turn.due_for_all <= due
        )
        return used.get(self._assignment, 0), max(0, self.terms.slip_days - until)


def is_outdated(folder: Path, record: SubmissionRecord) -> bool:
    """Return whether the submission in a student's folder is newer than the graded one."""
    newer = None
    with contextlib.suppress(UserError):  # the run has reported it already
        newer = read_time(folder)
    return bool(newer and record.handed_in and newer > record.handed_in)


def _found(course: Course, assignment: str, assignments: set[str]) -> Iterator[str]:
    """Yield the students whose folders have anything that is not clearly for another assignment.

    A folder whose name begins with a dot was made by a machine, unless it has the assignment's
    folder.
    """
    step = course.directory.submitted_directory
    shelf = shelf_of(course.directory, step, assignment)
    for_others = {shelf_of(course.directory, step, other).within for other in assignments}
    for_others -= {shelf.within}
    try:
        folders = [entry for entry in os.scandir(shelf.parent) if entry.is_dir()]
    except OSError:
        return
    for folder in folders:
        try:
            names = set(os.listdir(folder))
        except OSError:
            names = {"unreadable"}  # a placeholder: such a folder counts as handed in
        student = shelf.name(folder.name)
        if folder.name.startswith("."):
            is_one = bool(shelf.within) and shelf.within in names
        else:
            is_one = any(name[0] != "." for name in names - for_others)
        if student and is_one:
            yield student


def _why_not_graded(course: Course, assignment: str, result: StudentResult) -> str:
    record = result.known
    folder = course.submitted(record.student, assignment)
    run = f"run `{typed('nbgrader autograde', assignment)}`"
    notebooks = course.notebooks_in(folder, assignment)
    problems = result.run.problems if result.run else ()
    said = {problem.cell for problem in problems if problem.kind in (Kind.GRADER, Kind.SCORE)}
    tests = [score for score in record.scores if not score.cell.by_hand]
    missing = [score.cell.name for score in tests if score.is_open and score.cell.name not in said]
    if record.scores and not missing:
        if is_outdated(folder, record):
            return f"The student submitted again after this grading: {run}."
        return ""
    if why := why_no_id(record.student):
        return f"{why[0].upper()}{why[1:]}. Rename the folder, and {run}."
    if why := why_unusable(folder):
        return f"{folder}: {why}, and {run}."
    there = list(filter(os.path.lexists, notebooks))
    if not there:
        return f"{_why_unreadable(notebooks[0])}. Look into {folder}, and beside it."
    if why := next(filter(None, map(_why_unreadable, there)), ""):
        return f"{why}. Ask the student for another file, and {run}."
    which = "" if len(missing) == len(tests) else f" for {', '.join(missing)}"
    return f"The notebook was submitted, but there are no scores{which}: {run}."


def _why_unreadable(path: Path) -> str:
    try:
        read_submission(path)
    except (UserError, OSError) as error:
        why = str(error)
        return f"{why[0].upper()}{why[1:]}"
    return ""
