"""Groups of a class's answers that lost points of a test for the same reason.

The gradebook has all that is needed: no notebook is read, except by `code_of`.
"""

from __future__ import annotations

import contextlib
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from hw_grading.gradebook.corrections import Correction
from hw_grading.gradebook.corrections import CorrectionKind as CorrectionKind
from hw_grading.gradebook.given import Told
from hw_grading.gradebook.results import Results, StudentResult
from hw_grading.homework.course import Course
from hw_grading.homework.layout import ANSWER, TEST
from hw_grading.homework.notebook import Cell, Notebook
from hw_grading.mistakes.known import Mistake, read_mistakes, sentence_for
from hw_grading.notebooks import cells_by_id, open_notebook, size_and_time
from hw_grading.outcome import PartResult
from hw_support.checks.fingerprint import is_of_results
from hw_support.source import bound_by, read_by, tested_in
from hw_support.submission.cells import text_of
from hw_support.submission.file import UserError


@dataclass(frozen=True)
class Group:
    """Answers to one question that failed alike."""

    test: str  # the grade id of the test
    key: tuple[str, ...]  # their fingerprints; none: nothing is known of these failures
    lost: Mapping[str, float]  # the points that the failures cost, by student
    message: str  # what most of them read
    sentence: str  # what students are told; "" if the mistake has no name
    known: Mistake | None  # with these fingerprints alone
    pardons: tuple[Correction, ...]  # that give some of these students points

    @property
    def may_be_several(self) -> bool:
        """Whether only messages put these answers together, and no wrong results."""
        return not any(map(is_of_results, self.key))

    @property
    def id(self) -> str:
        """A name for addresses."""
        return sha256("\n".join(self.key).encode()).hexdigest()[:16]


def gains_of(group: Group, results: Results) -> dict[str, float]:
    """Return the points that a pardon gives to each of a group: what the failures cost.

    Nobody gets more than all points of the test, and nobody is there who gets none.
    """
    most = {cell.name: cell.max_points for cell in results.counting}.get(group.test, 0.0)
    left = {who: most - results.of(who).points(group.test) for who in group.lost}
    gains = {who: round(min(lost, left[who]), 6) for who, lost in group.lost.items()}
    return {who: points for who, points in gains.items() if points > 0}


def groups_of(results: Results, mistakes: Sequence[Mistake]) -> dict[str, list[Group]]:
    """Return the groups of each test that somebody failed, the largest first, by grade id."""
    found: defaultdict[tuple[str, tuple[str, ...]], dict[str, list[PartResult]]]
    found = defaultdict(dict)
    for result in results.handed_in:
        for test, failed in failures_of(result).items():
            found[test, key_of(failed)][result.student.id] = failed
    known = {mistake.key: mistake for mistake in mistakes}
    groups: dict[str, list[Group]] = {cell.name: [] for cell in results.cells}
    for (test, key), members in found.items():
        messages = Counter(failed[0].message for failed in members.values())
        told = {sentence_for(mistakes, test, one, key) for one in key} - {""}
        group = Group(
            test,
            key,
            {who: sum(p.points - p.earned for p in failed) for who, failed in members.items()},
            messages.most_common(1)[0][0],
            told.pop() if len(told) == 1 else "",
            known.get((test, frozenset(key))),
            tuple(one for one in _pardons(results, test) if not members.keys().isdisjoint(one.who)),
        )
        groups.setdefault(test, []).append(group)
    for of_test in groups.values():
        of_test.sort(key=lambda one: (-len(one.lost), -sum(one.lost.values()), one.key))
    return {test: of_test for test, of_test in groups.items() if of_test}


def _pardons(results: Results, test: str) -> list[Correction]:
    changes = results.rules.changes
    return [
        change for change in changes if change.cell == test and change.kind is CorrectionKind.GROUP
    ]


def failures_of(result: StudentResult) -> dict[str, list[PartResult]]:
    """Return a student's failed parts by test; without those that met no answer."""
    found: defaultdict[str, list[PartResult]] = defaultdict(list)
    tests = {score.cell.name for score in result.known.scores if not score.cell.by_hand}
    for failure in result.run.failures if result.run else ():
        if failure.cell in tests and not failure.parts[0].is_unanswered:
            found[failure.cell] += failure.parts
    return found


def key_of(failed: Iterable[PartResult]) -> tuple[str, ...]:
    """Return what is the same for all answers of a group.

    Wrong results tell one mistake from all others. Messages count only where no results do.
    """
    every = {part.fingerprint for part in failed if part.fingerprint}
    return tuple(sorted({one for one in every if is_of_results(one)} or every))


# -- what students are told


def mistakes_of(result: StudentResult, mistakes: Sequence[Mistake]) -> Told:
    """Return the sentences of the known mistakes of a student."""
    found: dict[str, dict[str, str]] = {}
    for test, failed in failures_of(result).items() if mistakes else ():
        key = key_of(failed)
        for one in {part.fingerprint for part in failed}:
            if sentence := sentence_for(mistakes, test, one, key):
                found.setdefault(test, {})[one] = sentence
    return found


def told_to(result: StudentResult, mistakes: Sequence[Mistake]) -> Told:
    """Return what a student is told of known mistakes, other than what messages say already."""
    known, parts = mistakes_of(result, mistakes), result.run.parts if result.run else ()
    said = {test: " ".join(p.message for p in parts if p.cell == test) for test in known}
    told = {
        test: {one: its for one, its in sentences.items() if its.rstrip(".") not in said[test]}
        for test, sentences in known.items()
    }
    return {test: sentences for test, sentences in told.items() if sentences}


def told_in(results: Results) -> dict[str, Told]:
    """Return what each student who submitted is told; `UserError` as by `read_mistakes`."""
    mistakes = read_mistakes(results.course.root, results.assignment)
    return {result.student.id: told_to(result, mistakes) for result in results.handed_in}


# -- their code


def answers_to_tests(course: Course, assignment: str) -> dict[str, tuple[str, ...]]:
    """Return the grade ids of the answers that each test is about.

    They bind what the test names in its `Checks`, or else what it reads, or else stand above it.
    """
    found: dict[str, tuple[str, ...]] = {}
    for path in course.notebooks_in(course.source(assignment), assignment):
        found |= _answers_in(path, size_and_time(path))
    return found


@functools.lru_cache(maxsize=20)  # it takes up to 0.3 s, which pages of the desk would wait for
def _answers_in(path: Path, _: object) -> dict[str, tuple[str, ...]]:
    found, answers = {}, list[Cell]()
    with contextlib.suppress(OSError, UserError):
        for cell in Notebook.read(path).code:
            if cell.kind == ANSWER:
                answers.append(cell)
            elif cell.kind == TEST and answers:
                found[cell.grade_id] = _about(cell, answers)
    return found


def _about(test: Cell, answers: Sequence[Cell]) -> tuple[str, ...]:
    tested = {name for name, _ in tested_in(test.source)}
    for names in (tested, {*read_by(test.source)}):
        if about := [
            answer.grade_id for answer in answers if not names.isdisjoint(bound_by(answer.source))
        ]:
            return tuple(about)
    return (answers[-1].grade_id,)


def code_of(course: Course, assignment: str, student: str, answers: Iterable[str]) -> str:
    """Return a student's code in these answers, as it was graded; "" if there is none."""
    cells: dict[str, dict[str, Any]] = {}
    folder = course.autograded(student, assignment)
    for path in course.notebooks_in(folder, assignment):
        with contextlib.suppress(OSError, UserError):
            cells |= cells_by_id(open_notebook(path))
    sources = (text_of(cells[name].get("source")) for name in answers if name in cells)
    return "\n\n".join(source.strip() for source in sources)
