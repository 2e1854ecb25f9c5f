"""The students' answers, as they are in ``autograded/`` now.

For each student, only digests, results and a few words are kept in memory, so that a large class
fits. The whole notebooks of the last few students are kept too. Changes are noticed on request and
by `outdated`.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hw_grading.desk.pictures import pictures_of
from hw_grading.gradebook.graded_notebook import (
    error_of,
    errors_in,
    outputs_of,
    plain,
    size_and_time,
    sources_in,
)
from hw_grading.gradebook.marks import answer_digest
from hw_grading.gradebook.results import Roster, read_roster, read_student
from hw_grading.gradebook.scores import Record
from hw_grading.homework.course import Course
from hw_grading.outcome import Status
from hw_support.submission.cells import text_of

EXCERPT = 300  # characters
_MOST_NOTEBOOKS = 8
_MOST_BYTES = 40_000_000  # total file size of the whole notebooks in memory

Cells = Mapping[str, dict[str, Any]]  # by grade id, with unchecked content


@dataclass(frozen=True, slots=True)
class Glance:
    """What is kept of one answer."""

    digest: str = ""  # see `hw_grading.gradebook.marks`
    empty: bool = False  # whether it has no picture, and is blank or as it was released
    pictures: int = 0  # how many pictures the code's outputs have
    excerpt: str = ""  # the first words of a text answer, or of the code's error or printed output
    error: bool = False  # whether the answer's cell ended in an error


@dataclass(frozen=True, slots=True)
class Submission:
    """What is kept of one student."""

    student: str
    status: Status
    reason: str
    late: str
    found: bool
    # Glances by grade id. If an answer is missing, it was deleted or there is no graded notebook.
    glances: Mapping[str, Glance]


class Answers:
    """The answers of one homework to `questions`, by grade id. Several threads may use one object.

    The lock is never held while a file is read, so a slow disk does not delay other requests.
    """

    def __init__(self, course: Course, assignment: str, questions: Iterable[str]) -> None:
        self.course, self.assignment = course, assignment
        self._questions = tuple(questions)
        self._lock = threading.RLock()
        self._roster: Roster | None = None
        self._records: dict[str, Record] = {}
        self._kept: dict[str, tuple[object, Submission]] = {}
        self._notebooks: OrderedDict[str, tuple[tuple[int, int], Cells]] = OrderedDict()
        self._handed_out: tuple[tuple[int, int] | None, dict[str, str]] = (None, {})

    def roster(self, *, now: bool = False) -> Roster:
        """Return the class as it was last read; the first time, and with `now`, read it."""
        roster = self._roster
        if roster is None or now:
            roster = read_roster(self.course.folder, self.assignment)
            with self._lock:
                self._roster = roster
                self._records = {record.student: record for record in roster.records}
        return roster

    def known(self) -> dict[str, Submission]:
        """Return the submissions read so far, without reading anything."""
        with self._lock:
            return {student: kept for student, (_, kept) in self._kept.items()}

    def submission(self, student: str) -> Submission:
        """Return what is known of a student. The notebook is read again if it has changed."""
        with self._lock:
            key, kept = self._kept.get(student, (None, None))
        if kept and student in self._records and key == self._key(student):
            return kept
        return self._read(student)[0]

    def cells(self, student: str, *, keep: bool = True) -> Cells:
        """Return the cells of a student's graded notebook; no cells if it is missing or damaged.

        Background work does not `keep` the notebook in memory.
        """
        state = self._state(student)
        with self._lock:
            state_kept, cells = self._notebooks.get(student, (None, {}))
            if state is not None and state_kept == state:
                self._notebooks.move_to_end(student)
                return cells
        cells = self._read(student)[1]
        if keep and state is not None:
            with self._lock:
                kept = self._notebooks
                kept[student] = (state, cells)
                kept.move_to_end(student)
                while len(kept) > 1 and (
                    len(kept) > _MOST_NOTEBOOKS
                    or sum(size for (size, _), _ in kept.values()) > _MOST_BYTES
                ):
                    kept.popitem(last=False)
        return cells

    def outdated(self) -> list[str]:
        """Read the roster. Return the students whose notebooks have to be read."""
        here = {record.student for record in self.roster(now=True).records}
        with self._lock:
            for student in set(self._kept) - here:
                del self._kept[student]
            keys = {student: key for student, (key, _) in self._kept.items()}
        return [student for student in here if self._key(student) != keys.get(student)]

    def _read(self, student: str) -> tuple[Submission, Cells]:
        roster = self.roster(now=student not in self._records)
        key = self._key(student)
        with self._lock:
            record = self._records.get(student, Record(student))
        result, cells = read_student(roster, record)
        found = self._state(student) is not None
        shown = (name for name in self._questions if name in cells)
        glances = {name: self._glance(name, cells[name]) for name in shown}
        about = (student, result.status, result.reason, record.late)
        submission = Submission(*about, found, glances)
        with self._lock:
            self._kept[student] = (key, submission)
        return submission, cells

    def _key(self, student: str) -> object:
        """Return a key that changes when a student's submission has to be read again."""
        record = self._records.get(student)
        facts = record and (record.scored, record.handed_in, record.seconds_late)
        return self._state(student), facts

    def _state(self, student: str) -> tuple[int, int] | None:
        folder = self.course.autograded(student, self.assignment)
        return size_and_time(folder / f"{self.assignment}.ipynb")

    def _glance(self, name: str, cell: Mapping[str, Any]) -> Glance:
        pictures = len(pictures_of(cell))
        source = text_of(cell.get("source"))
        is_code = cell.get("cell_type") == "code"
        attached = bool(cell.get("attachments")) and not is_code
        stub = _bare(self._released().get(name, ""), is_code)
        blank = (stub, "", "YOUR ANSWER HERE", "raise NotImplementedError()")
        empty = not pictures and not attached and _bare(source, is_code) in blank
        errors = [] if empty else errors_in(cell)
        texts = [*map(error_of, errors), *(text_of(o.get("text")) for o in outputs_of(cell))]
        words = next(filter(str.strip, texts), source) if is_code else source
        excerpt = plain(words.strip(), EXCERPT)
        return Glance(answer_digest(cell), empty, pictures, excerpt, bool(errors))

    def _released(self) -> dict[str, str]:
        """Return the answers' released text, by grade id."""
        path = self.course.release(self.assignment) / f"{self.assignment}.ipynb"
        state = size_and_time(path)
        if state != self._handed_out[0]:
            self._handed_out = (state, sources_in(path))
        return self._handed_out[1]


def _bare(source: str, is_code: bool) -> str:
    """Return a source without empty lines. Code also loses its comment lines."""
    lines = (line.strip() for line in source.split("\n"))
    return "\n".join(line for line in lines if line and not (is_code and line.startswith("#")))
