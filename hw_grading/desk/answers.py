"""The students' answers, as they are in ``autograded/`` now.

Of each student, only digests, results and a few words are kept, so that a large class fits. A
notebook is read when one of its cells is shown.
"""

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw_grading.analysis.words import bag_of, words_digest
from hw_grading.gradebook.results import Results, StudentResult, read_results
from hw_grading.homework.course import Course
from hw_grading.notebooks import (
    FINISHED,
    answer_digest,
    cells_by_id,
    error_of,
    errors_in,
    open_notebook,
    outputs_of,
    size_and_time,
)
from hw_grading.outcome import Status
from hw_grading.rendering.pictures import pictures_of
from hw_grading.texts import typed
from hw_support.figures import Facts, facts_in
from hw_support.submission.cells import text_of
from hw_support.submission.file import UserError
from hw_support.submission.problems import METADATA_KEY, plain

EXCERPT = 300  # characters
_NO_MODULE = re.compile(r"No module named '([A-Za-z_]\w{0,60})")
_LONGEST_MESSAGE = 200  # characters

Cells = Mapping[str, dict[str, Any]]  # by grade id, with unchecked content


@dataclass(frozen=True, slots=True)
class Glance:
    """What is kept of one answer."""

    digest: str = ""  # see `answer_digest`
    empty: bool = False  # whether it has no picture, and is blank or as it was released
    pictures: int = 0  # how many pictures the code's outputs have
    excerpt: str = ""  # the first words of a text answer, or of the code's error or printed output
    error: bool = False  # whether the answer's cell ended in an error
    words: str = ""  # of a text: a digest of its words, the same if only layout differs
    bag: frozenset[str] = frozenset()  # of a text: its words, see `bag_of`
    figures: tuple[Facts, ...] = ()  # the facts of what code drew


@dataclass(frozen=True, slots=True)
class Submitted:
    """What is kept of one student."""

    student: str
    status: Status
    reason: str
    late: str
    found: bool
    lacks: tuple[str, ...]  # modules that the notebook imports, and the grader does not have
    # Glances by grade id. If an answer is missing, it was deleted or there is no graded notebook.
    glances: Mapping[str, Glance]


class Answers:
    """The answers of one homework; `names` returns the grade ids of the cells that are shown.

    Several threads may use one object. The lock is never held while a file is read, so a slow disk
    does not delay other requests.
    """

    def __init__(self, course: Course, assignment: str, names: Callable[[], Iterable[str]]) -> None:
        self.course, self.assignment = course, assignment
        self._names = names
        self._lock = threading.Lock()
        self._roster: Results | None = None
        self._results: dict[str, StudentResult] = {}
        self._kept: dict[str, tuple[object, Submitted]] = {}
        self._released: tuple[object, dict[str, str]] = (None, {})

    def roster(self, *, now: bool = False) -> Results:
        """Return the class as it was last read; the first time, and with `now`, read it."""
        roster = self._roster
        if roster is None or now:
            roster = read_results(self.course, self.assignment, with_parts=False)
            with self._lock:
                self._roster = roster
                self._results = {result.student.id: result for result in roster.handed_in}
        return roster

    def known(self) -> dict[str, Submitted]:
        """Return the submissions read so far, without reading anything."""
        with self._lock:
            return {student: kept for student, (_, kept) in self._kept.items()}

    def submission(self, student: str) -> Submitted:
        """Return what is known of a student. The notebook is read again if it has changed."""
        with self._lock:
            key, kept = self._kept.get(student, (None, None))
        if kept is None or key is None or key != self._key(student):
            kept = self.read(student)[0]
        return kept

    def outdated(self) -> list[str]:
        """Read the roster. Return the students whose notebooks have to be read."""
        here = {result.student.id for result in self.roster(now=True).handed_in}
        with self._lock:
            self._kept = {student: kept for student, kept in self._kept.items() if student in here}
            keys = {student: key for student, (key, _) in self._kept.items()}
        return [student for student in here if self._key(student) != keys.get(student)]

    def read(self, student: str) -> tuple[Submitted, Cells]:
        """Read a student's notebook; return also its cells by grade id, {} if it is damaged."""
        self.roster(now=student not in self._results)
        key, result = self._key(student), self._results.get(student)
        paths = self._graded(student)
        found: dict[str, dict[str, Any]] = {}
        lacks: set[str] = set()
        trouble = ""
        for path in list(filter(os.path.lexists, paths)) or paths:
            try:
                document = open_notebook(path)
            except (UserError, OSError) as why:
                trouble = f"its graded notebook cannot be read: {why}"
                continue
            found |= cells_by_id(document)
            lacks.update(_missing_modules(document["cells"]))
            section = document["metadata"].get(METADATA_KEY)
            if isinstance(section, dict) and section.get(FINISHED) is not True:
                trouble = "its last grading did not finish"
        found_it = any(self._state(student))
        shown = (name for name in self._names() if name in found)
        glances = {name: self._glance(name, found[name]) for name in shown}
        status = (result and result.status) or Status.NOT_GRADED
        reason, late = (result.reason, result.known.late) if result else ("", "")
        if trouble and status is not Status.NOT_GRADED:  # there is nothing to show
            status = Status.NOT_GRADED
            run = typed("nbgrader autograde", self.assignment)
            reason = f"The submission has scores, but {trouble}. To grade it again, run `{run}`."
        submission = Submitted(
            student, status, reason, late, found_it, lacks=tuple(sorted(lacks)), glances=glances
        )
        with self._lock:
            self._kept[student] = (key, submission)
        return submission, found

    def _key(self, student: str) -> object:
        """Return a key that changes when a student's submission has to be read again, or None."""
        if (result := self._results.get(student)) is None:
            return None
        return self._state(student), result.status, result.reason, result.known.late

    def _graded(self, student: str) -> list[Path]:
        folder = self.course.autograded(student, self.assignment)
        return self.course.notebooks_in(folder, self.assignment)

    def _state(self, student: str) -> tuple[tuple[int, int] | None, ...]:
        return tuple(map(size_and_time, self._graded(student)))

    def _glance(self, name: str, cell: Mapping[str, Any]) -> Glance:
        pictures = len(pictures_of(cell))
        source = text_of(cell.get("source"))
        is_code = cell.get("cell_type") == "code"
        attached = bool(cell.get("attachments")) and not is_code
        stub = _bare(self._stubs().get(name, ""), is_code)
        blank = (stub, "", "YOUR ANSWER HERE", "raise NotImplementedError()")
        empty = not pictures and not attached and _bare(source, is_code) in blank
        errors = [] if empty else errors_in(cell)
        said = [*map(error_of, errors), *(text_of(o.get("text")) for o in outputs_of(cell))]
        words = next(filter(str.strip, said), source) if is_code else source
        excerpt = plain(words.strip(), EXCERPT)
        text = "" if is_code or attached else source
        return Glance(
            digest=answer_digest(cell),
            empty=empty,
            pictures=pictures,
            excerpt=excerpt,
            error=bool(errors),
            words=words_digest(text),
            bag=bag_of(text),
            figures=facts_in(outputs_of(cell)) if is_code else (),
        )

    def _stubs(self) -> dict[str, str]:
        """Return the answers' released text, by grade id."""
        paths = self.course.notebooks_in(self.course.release(self.assignment), self.assignment)
        states = [size_and_time(path) for path in paths]
        if states != self._released[0]:
            sources = {name: text for path in paths for name, text in _sources_in(path).items()}
            self._released = (states, sources)
        return self._released[1]


def _missing_modules(cells: Iterable[Any]) -> Iterator[str]:
    """Yield the modules that cells could not import, by the name of their package's folder."""
    for cell in (cell for cell in cells if isinstance(cell, dict)):
        for error in errors_in(cell):
            if error.get("ename") == "ModuleNotFoundError":
                found = _NO_MODULE.search(text_of(error.get("evalue"))[:_LONGEST_MESSAGE])
                yield from found.groups() if found else ()


def _bare(source: str, is_code: bool) -> str:
    """Return a source without empty lines. Code also loses its comment lines."""
    lines = (line.strip() for line in source.split("\n"))
    return "\n".join(line for line in lines if line and not (is_code and line.startswith("#")))


def _sources_in(path: Path) -> dict[str, str]:
    """Return the text of a notebook's cells by grade id; {} if it is missing or damaged."""
    with contextlib.suppress(OSError, UserError):
        cells = cells_by_id(open_notebook(path)).items()
        return {name: text_of(cell.get("source")) for name, cell in cells}
    return {}
