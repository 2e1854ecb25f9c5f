"""Groups of a class's answers that lost points of a test for the same reason.

The gradebook has all that is needed: no notebook is read, except by `codes_of`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hw_grading.gradebook.results import Result, Results
from hw_grading.mistakes.known import Mistake, sentence_for
from hw_grading.outcome import PartResult
from hw_support.checks.fingerprint import is_of_results


@dataclass(frozen=True)
class Group:
    """Answers to one question that failed alike."""

    test: str  # the grade id of the test
    key: tuple[str, ...]  # their fingerprints
    students: tuple[str, ...]  # by id
    lost: float  # points of all of them together, before corrections
    message: str  # what most of them read
    sentence: str = ""  # of the known mistake; "" if it has no name

    @property
    def may_be_several(self) -> bool:
        """Whether only messages put these answers together, and no wrong results."""
        return not any(map(is_of_results, self.key))


def groups_of(results: Results, mistakes: Sequence[Mistake]) -> dict[str, list[Group]]:
    """Return the groups of each test that somebody failed, the largest first, by grade id."""
    found: defaultdict[tuple[str, tuple[str, ...]], list[tuple[str, list[PartResult]]]]
    found = defaultdict(list)
    for result in results.handed_in:
        for test, failed in failures_of(result).items():
            found[test, key_of(failed)].append((result.student.id, failed))
    groups: dict[str, list[Group]] = {cell.name: [] for cell in results.cells}
    for (test, key), members in found.items():
        messages = Counter(failed[0].message for _, failed in members)
        sentences = {sentence_for(mistakes, test, one) for one in key} - {""}
        groups.setdefault(test, []).append(
            Group(
                test,
                key,
                tuple(student for student, _ in members),
                sum(part.points - part.earned for _, failed in members for part in failed),
                messages.most_common(1)[0][0],
                sentences.pop() if len(sentences) == 1 else "",
            )
        )
    for of_test in groups.values():
        of_test.sort(key=lambda group: (-len(group.students), -group.lost, group.key))
    return {test: of_test for test, of_test in groups.items() if of_test}


def failures_of(result: Result) -> dict[str, list[PartResult]]:
    """Return the failed parts of a student's last run by test; without those that met no answer."""
    found: defaultdict[str, list[PartResult]] = defaultdict(list)
    for failure in result.run.failures if result.run else ():
        found[failure.cell] += failure.parts
    return found


def key_of(failed: Sequence[PartResult]) -> tuple[str, ...]:
    """Return what is the same for all answers of a group.

    Wrong results tell one mistake from all others. Messages count only where no results do.
    """
    every = {part.fingerprint for part in failed if part.fingerprint}
    return tuple(sorted({one for one in every if is_of_results(one)} or every))
