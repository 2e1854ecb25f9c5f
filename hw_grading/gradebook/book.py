"""The manual grading of one homework: what the desk reads and saves.

Each method is one transaction. Before it writes, it compares what the grader saw with what is
stored, so that nobody overwrites what they have not seen.
"""

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace
from datetime import datetime
from typing import Any

from nbgrader import api
from sqlalchemy import Connection, select

from hw_grading.gradebook import comments, corrections, second_marks
from hw_grading.gradebook.comments import Comment, Said
from hw_grading.gradebook.corrections import CorrectionKind
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.leases import SECONDS_TO_WAIT, Leases, Opened, next_free, waiting
from hw_grading.gradebook.marks import Rows, Stamp, mark_from_row
from hw_grading.gradebook.model import (
    Conflict,
    Event,
    Grading,
    Item,
    Mark,
    Question,
    Refused,
    Rescored,
    Rubric,
    RubricChanged,
    checked,
    checked_rubric,
    expect_name,
    expect_text,
    first_conditions,
    first_rubric,
    rubric_of,
)
from hw_grading.gradebook.scores import ScoredCell, cells_of
from hw_grading.gradebook.second_marks import Marked, Pair
from hw_grading.gradebook.shares import Graders, Share, owners, share_out, shares_in
from hw_grading.gradebook.tables import now as utc_now
from hw_grading.homework.course import Course
from hw_grading.homework.homework import Beside, manifest_of
from hw_grading.homework.notebook import Places, order_in, read_places
from hw_grading.notebooks import size_and_time
from hw_support.submission.file import UserError

Outcomes = dict[str, Grading | Conflict]


class ManualGrading:
    """The manual grading of one homework, in nbgrader's gradebook.

    Several threads may use one object. `cell` is a question's grade id, `student` an id, `grader` a
    name of at most 128 characters. Methods that write raise `Refused`. All methods raise
    `Unavailable` if the database cannot be used.
    """

    def __init__(
        self, course: Course, assignment: str, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.course, self.assignment = course, assignment
        self._clock = clock  # UTC, for leases
        self._settings = Graders(config=course.config)
        self._database = Database(course.db_url)
        self._read: tuple[list[tuple[int, int] | None], Places] | None = None

    def close(self) -> None:
        """Close all connections to the gradebook."""
        self._database.close()

    def questions(self) -> tuple[Question, ...]:
        """Return the manually graded questions, in the notebook's order."""
        places = self._places()
        manifest = manifest_of(self.course.root, self.assignment)
        with self._database.reading() as connection:
            cells = self._cells(connection, places)
        often = Counter(str(places[cell.name]) for cell in cells)
        found = []
        for cell in cells:
            place = places[cell.name]
            title = str(place)
            if often[title] > 1:
                title += ": code" if cell.is_code else ": text"
            beside = manifest.shown_beside.get(cell.name, Beside())
            found.append(
                Question(
                    cell=cell.name,
                    title=title,
                    max_points=cell.max_points,
                    is_code=cell.is_code,
                    text=place.text,
                    scheme=place.scheme,
                    beside=beside.answers,
                    numbers=beside.printed,
                    conditions=first_conditions(cell, cells, places),
                    expected=manifest.plots.get(cell.name, ""),
                )
            )
        return tuple(found)

    def names(self) -> dict[str, str]:
        """Return the names of students with an answer in the gradebook, by id; "" if not known."""
        student = api.Student
        query = select(student.id, student.first_name, student.last_name)
        query = query.join(api.SubmittedAssignment).join(api.Assignment)
        with self._database.reading() as connection:
            rows = connection.execute(query.where(api.Assignment.name == self.assignment)).all()
        return {row[0]: " ".join(filter(None, row[1:])) for row in rows}

    def order(self, cell: str, students: Iterable[str]) -> list[str]:
        """Return students in the question's own order, which looks random but is fixed."""
        before = f"{self.assignment}\n{cell}\n"
        return sorted(students, key=lambda s: hashlib.sha256((before + s).encode()).digest())

    def rubric(self, cell: str) -> Rubric:
        """Return the rubric of a question."""
        with self._rows(cell) as rows:
            return rows.rubric()[0]

    def added_items(self, cell: str) -> list[Item]:
        """Return the items of a rubric that the mark scheme has not."""
        with self._rows(cell) as rows:
            known = {item.text for item in rows.first.items}
            return [item for item in rows.rubric()[0].items if item.text not in known]

    def gradings(self, cell: str) -> dict[str, Grading]:
        """Return the state of every student's answer."""
        return self.both_gradings(cell, "")[0]

    def grading(self, cell: str, student: str) -> Grading:
        """Return the state of one answer."""
        with self._rows(cell) as rows:
            return rows.answer(rows.rubric()[0], student).grading

    def told(self, student: str) -> dict[str, tuple[list[tuple[str, Item]], str]]:
        """Return the items and the comment that a student reads, by grade id.

        An answer that was graded in formgrader last is not in it.
        """
        places, found = self._places(), {}
        with self._database.reading() as connection:
            cells = self._cells(connection, places)
            for cell in cells:
                first = first_rubric(cell, cells, places)
                rows = Rows(connection, self.assignment, cell.name, first, cell.max_points)
                if told := rows.told(student):
                    found[cell.name] = told
        return found

    # -- who has which answer open

    def open(
        self,
        cell: str,
        page: str,
        grader: str,
        *,
        student: str | None = None,
        here: str = "",
        not_run: Set[str] = frozenset(),
        sections: Callable[[], Mapping[str, str]] = dict,
        helping: bool = False,
    ) -> Opened:
        """Lease an answer to a page, in the place of the one that it had open before.

        It is the answer of `student`; without one, the answer with which the page's grader goes on
        from the answer of the student `here`. The students in `not_run` are passed over. `page` is
        the page's random id: 32 hexadecimal digits. The grader stays in the own share of the
        question, except when `helping`; `sections` returns the students' sections.
        """
        expect_name(grader)
        with self._database.writing(SECONDS_TO_WAIT) as connection:
            leases = Leases(connection, self.assignment, self._clock())
            waits, held = waiting(connection, self.assignment, cell), leases.held(cell, page)
            order, left = self.order(cell, waits), {one for one in waits if waits[one]} - not_run
            shares = shares_in(connection, self.assignment).get(cell, [])
            of_whom = {} if helping else owners(shares, order, sections)
            elsewhere = {one for one in left if of_whom.get(one, grader) != grader}
            left -= elsewhere
            free = left - {one for one, _ in held}
            # The grader's other pages come last: perhaps their browser has ended.
            own = left - {one for one, by in held if by != grader}
            opened = student
            if student is None:
                opened = next_free(order, free - {here}, here) or next_free(order, own - {here})
            if opened is not None:
                if opened not in waits:
                    raise Refused(f"The gradebook has no answer of {opened!r} to this question.")
                leases.open(cell, opened, page, grader)
            last = left if opened is None else {opened}
            there = {by for one, by in held if one in last}
            then = next_free(order, free - {opened or here}, opened or here)
        return Opened(opened, tuple(sorted(there - {grader})), then, len(elsewhere))

    def leave(self, page: str) -> None:
        """End the lease of a page."""
        with self._database.writing(SECONDS_TO_WAIT) as connection:
            Leases(connection, self.assignment, self._clock()).leave(page)

    def graders(self) -> dict[str, list[str]]:
        """Return who has an answer open now, by question."""
        with self._database.reading() as connection:
            return Leases(connection, self.assignment, self._clock()).graders()

    # -- marks

    def save(
        self,
        cell: str,
        versions: Mapping[str, str],
        marked: Mark | Callable[[Mark], Mark],
        *,
        grader: str,
        rubric_revision: int,
        digests: Mapping[str, str] | None = None,
    ) -> Outcomes:
        """Save the same mark for one answer or for several.

        `versions` has `Grading.version` of each answer, by student, as the grader saw it. `marked`
        is the mark, or a function that returns it, given the answer's present mark. The grader saw
        the rubric of `rubric_revision` and, by student, answers with these `digests`.

        Return the saved state by student. If somebody else has saved an answer in the meantime,
        that answer stays as it is and its value is a `Conflict`. The other answers are saved.
        """
        stamp = Stamp(expect_name(grader), "save")
        outcomes: Outcomes = {}
        with self._rows(cell, writes=True) as rows:
            rubric, by = rows.rubric()
            if rubric.revision != rubric_revision:
                raise RubricChanged(rubric, by)
            if rubric.revision == 0:
                rubric = rows.write_rubric(replace(rubric, revision=-1), "")
            if isinstance(marked, Mark):
                texts = {rows.batch_of_text(student, marked, grader) for student in versions}
                if len(texts) == 1:
                    stamp = replace(stamp, batch=texts.pop() or stamp.batch)
            for student, version in versions.items():
                answer = rows.answer(rubric, student, lock=True)
                if answer.grading.version != version:
                    outcomes[student] = Conflict(answer.grading)
                    continue
                now = answer.grading.mark
                mark = checked(marked(now) if callable(marked) else marked, rubric)
                of_this = replace(stamp, digest=(digests or {}).get(student, ""))
                outcomes[student] = rows.save(answer, rubric, mark, of_this)
        return outcomes

    def add_items(
        self, cell: str, versions: Mapping[str, str], items: Iterable[str], **seen: Any
    ) -> Outcomes:
        """Add the same items to what each of several answers has; `seen` as for `save`."""
        more = frozenset(items)
        return self.save(
            cell, versions, lambda m: replace(m, chosen=m.chosen | more, done=True), **seen
        )

    def undo(self, cell: str, *, grader: str) -> dict[str, Grading]:
        """Take back this grader's latest save in a question, for all answers that it saved.

        `Refused` if there is no save to take back; `Conflict` if somebody else has saved one of
        these answers since. Of marks that were put back, those that were not given again return.
        """
        with self._rows(cell, writes=True) as rows:
            events, last = rows.last_save(expect_name(grader), "save", "redo", "decided")
            if not events:
                raise Refused("You have saved nothing here that can be undone.")
            rubric, _ = rows.rubric()
            stamp = Stamp(grader, "undo", undoes=events[0].batch)
            undone = {}
            oldest = {event.student: event for event in events}  # of each answer
            for event in oldest.values():
                answer = rows.answer(rubric, event.student, lock=True)
                if answer.grading.overridden or last[event.student] != event.batch:
                    if event.action == "redo":
                        continue
                    raise Conflict(answer.grading)
                back = json.loads(event.before)
                mark = mark_from_row(back["mark"])
                mark = replace(mark, chosen=mark.chosen & rubric.ids)
                undone[event.student] = rows.save(answer, rubric, mark, stamp, back)
            return undone

    def history(self, cell: str, student: str | None = None) -> list[Event]:
        """Return the history of a question or of one answer, the newest event first."""
        with self._rows(cell) as rows:
            return rows.events(student)

    # -- several graders

    def shares(self) -> dict[str, list[Share]]:
        """Return the shares of each question that is shared out."""
        with self._database.reading() as connection:
            return shares_in(connection, self.assignment)

    def share_out(self, cell: str, shares: Iterable[Share], *, grader: str) -> None:
        """Share a question out among graders; without shares, answers go to whoever comes."""
        self._expect_head(grader)
        shares = [Share(expect_name(share.grader.strip()), share.section) for share in shares]
        with self._database.writing() as connection:
            share_out(connection, self.assignment, cell, shares)

    def second_gradings(self, cell: str, grader: str) -> dict[str, Grading]:
        """Return the answers that a grader marks a second time, with the grader's own marks."""
        return self.both_gradings(cell, grader)[1]

    def both_gradings(
        self, cell: str, grader: str
    ) -> tuple[dict[str, Grading], dict[str, Grading]]:
        """Return what `gradings` does, and what `second_gradings` does: nothing for no grader."""
        percent = self._settings.second_percent
        with self._rows(cell) as rows:
            rubric, _ = rows.rubric()
            answers = rows.answers(rubric)
            own = second_marks.offered(rows, rubric, answers, grader, percent) if grader else {}
        return {student: answer.grading for student, answer in answers.items()}, own

    def save_second(
        self,
        cell: str,
        versions: Mapping[str, str],
        mark: Mark,
        *,
        grader: str,
        rubric_revision: int,
        digests: Mapping[str, str],
    ) -> Outcomes:
        """Save second marks; all is as for `save`. Nothing that counts changes."""
        stamp = Stamp(expect_name(grader), "second mark")
        with self._rows(cell, writes=True) as rows:
            rubric, by = rows.rubric()
            if rubric.revision != rubric_revision:
                raise RubricChanged(rubric, by)
            mark = checked(mark, rubric)
            return {
                student: second_marks.save(
                    rows,
                    rubric,
                    student,
                    version,
                    mark,
                    replace(stamp, digest=digests.get(student, "")),
                )
                for student, version in versions.items()
            }

    def marked(self, cell: str) -> tuple[dict[str, Marked], list[Pair]]:
        """Return the first marks of a question, by student, and the pairs of two marks."""
        with self._rows(cell) as rows:
            return second_marks.marked(rows)

    def decide(self, cell: str, student: str, version: str, whose: str, *, grader: str) -> Grading:
        """Let one of the two marks of an answer count: that of the grader `whose`."""
        self._expect_head(grader)
        with self._rows(cell, writes=True) as rows:
            stamp = Stamp(grader, "decided", whose=whose)
            return second_marks.take(rows, student, version, whose, stamp)

    def redo(self, cell: str, whose: str, *, grader: str) -> dict[str, Grading]:
        """Put all marks of the grader `whose` in a question back to "not graded"."""
        self._expect_head(grader)
        with self._rows(cell, writes=True) as rows:
            rubric, _ = rows.rubric()
            answers = rows.answers(rubric, lock=True)
            stamp = Stamp(grader, "redo")
            back = {}
            for student, answer in answers.items():
                old, by = answer.grading.mark, answer.grading.grader
                if old.done and by == whose and not answer.grading.overridden:
                    mark = Mark(flagged=old.flagged, flag_note=old.flag_note)
                    back[student] = rows.save(answer, rubric, mark, stamp)
            return back

    def is_head(self, grader: str) -> bool:
        """Whether a grader decides for the others."""
        return not self._settings.heads or grader in self._settings.heads

    def _expect_head(self, grader: str) -> None:
        if not self.is_head(expect_name(grader)):
            heads = ", ".join(self._settings.heads)
            raise Refused(f"Only a head grader does this: {heads} (c.Graders.heads).")

    # -- rubrics

    def preview(self, cell: str, rubric: Rubric) -> list[Rescored]:
        """Return the scores that a changed rubric would change."""
        with self._rows(cell) as rows:
            new = checked_rubric(rubric)
            return rows.rescored(new, rows.answers(new))

    def change_rubric(
        self, cell: str, rubric: Rubric, *, grader: str
    ) -> tuple[Rubric, list[Rescored]]:
        """Save a rubric, and re-score the answers that have its items.

        Its `revision` is that of the rubric that the grader edited. New items have the id "".
        """
        stamp = Stamp(expect_name(grader), "rubric")
        with self._rows(cell, writes=True) as rows:
            return rows.change_rubric(checked_rubric(rubric), stamp)

    def undo_rubric(self, cell: str, *, grader: str) -> tuple[Rubric, list[Rescored]]:
        """Take back this grader's latest change of the rubric."""
        with self._rows(cell, writes=True) as rows:
            events, _ = rows.last_save(expect_name(grader), "rubric")
            if not events:
                raise Refused("You have not changed this rubric: there is nothing to undo.")
            states = (events[0].before, events[0].after)
            before, after = (rubric_of(json.loads(state)["rubric"]) for state in states)
            stamp = Stamp(grader, "rubric undone", undoes=events[0].batch)
            rubric = replace(before, revision=after.revision)
            return rows.change_rubric(rubric, stamp)

    # -- comments on any answer, also one that tests graded

    def comments_on(self, cell: str, student: str | None = None) -> list[Comment]:
        """Return the comments on all answers to a question, or on one student's."""
        with self._database.reading() as connection:
            return comments.comments_on(connection, self.assignment, cell, student)

    def comment(self, cell: str, student: str, said: Said, grader: str) -> None:
        """Save a comment on an answer, or remove it; `CommentChanged` if it is not as it was."""
        with self._database.writing() as connection:
            rows = Rows(connection, self.assignment, cell, Rubric(()), 0.0)
            comments.save(rows, student, said, expect_name(grader))

    def history_of_any(self, cell: str, student: str) -> list[Event]:
        """Return the history of an answer that people need not grade, the newest event first."""
        with self._database.reading() as connection:
            return Rows(connection, self.assignment, cell, Rubric(()), 0.0).events(student)

    # -- corrections of students' points

    def correct_student(
        self, cell: str, student: str, points: float, reason: str, grader: str
    ) -> int:
        """Set one student's points of a test or another cell; return the correction's number.

        The student reads the reason. Scores of tests and people stay in the gradebook:
        `hw_grading.gradebook.results` applies corrections.
        """
        expect_text(reason)
        [number] = self._correct(cell, CorrectionKind.SET, points, [student], reason, grader)
        return number

    def correct_group(
        self, cell: str, gains: Mapping[str, float], reason: str, grader: str
    ) -> list[int]:
        """Give points of a test to several students; return the numbers of the corrections.

        There is one for all who get as many points. Students read the reason.
        """
        expect_text(reason)
        by_points: dict[float, list[str]] = {}
        for student, points in gains.items():
            by_points.setdefault(points, []).append(student)
        return [
            number
            for points, students in sorted(by_points.items())
            for number in self._correct(
                cell, CorrectionKind.GROUP, points, students, reason, grader
            )
        ]

    def _correct(
        self,
        cell: str,
        kind: CorrectionKind,
        points: float,
        students: list[str],
        reason: str,
        grader: str,
    ) -> list[int]:
        with self._database.reading() as connection:
            cells = {one.name: one for one in cells_of(connection, self.assignment).values()}
        if cell not in cells:
            raise Refused(f"{self.assignment} has no cell {cell!r} with points.")
        if unknown := set(students) - self.names().keys():
            raise Refused(f"The gradebook has no answers of {min(unknown)!r}.")
        try:
            return corrections.correct(
                self._database,
                self.assignment,
                cells[cell],
                kind=kind,
                points=points,
                reason=reason,
                author=expect_name(grader),
                students=students,
            )
        except UserError as why:
            raise Refused(f"{why}.") from None

    def undo_correction(self, number: int, grader: str) -> None:
        """Undo a correction by its number."""
        try:
            corrections.undo(self._database, self.assignment, number, expect_name(grader))
        except UserError as why:
            raise Refused(f"{why}.") from None

    @contextlib.contextmanager
    def _rows(self, cell: str, *, writes: bool = False) -> Iterator[Rows]:
        places, database = self._places(), self._database
        with database.writing() if writes else database.reading() as connection:
            cells = self._cells(connection, places)
            this = next((one for one in cells if one.name == cell), None)
            if this is None:
                raise Refused(f"{self.assignment} has no question {cell!r} for people to grade.")
            rubric = first_rubric(this, cells, places)
            yield Rows(connection, self.assignment, cell, rubric, this.max_points)

    def _places(self) -> Places:
        """Return the places in the instructor's notebook, which is read again when it changes."""
        paths = self.course.notebooks_in(self.course.source(self.assignment), self.assignment)
        states = [size_and_time(path) for path in paths]
        read = self._read
        if read is None or None in states or read[0] != states:
            self._read = read = states, read_places(*paths)
        return read[1]

    def _cells(self, connection: Connection, places: Places) -> list[ScoredCell]:
        cells = cells_of(connection, self.assignment).values()
        order = order_in(places)
        by_hand = (cell for cell in cells if cell.by_hand and cell.max_points > 0)
        return sorted(by_hand, key=lambda cell: order(cell.name))
