"""Score all answers to a homework, and mutants of its functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from answers import Answer, right_answers, whole_submissions, wrong_answers
from cells import Notebook, equivalent_of
from guarded import own_tests
from harness import Verdict
from mutants import Mutant, all_mutants
from verdicts import KeptVerdicts

SLOW_SEEDS, WRONG_SEEDS = 5, 5


@dataclass(frozen=True)
class Seeds:
    """The number of runs, each with its own seed.

    Attributes
    ----------
    right, wrong
        Of each right and each wrong answer.
    slow
        Of each right answer that takes seconds; a wrong one is run once.
    """

    right: int
    wrong: int
    slow: int

    @classmethod
    def at_most(cls, seeds: int) -> Seeds:
        """Return the numbers of runs if a right answer is run this many times."""
        return cls(seeds, min(seeds, WRONG_SEEDS), min(seeds, SLOW_SEEDS))


@dataclass(frozen=True)
class Measured:
    """The verdicts of test cells on the answers to one question.

    Attributes
    ----------
    notebook : Notebook
    name : str
        The answer cell, or ``whole`` for whole submissions.
    wrong, right, mutants : list
        Each answer or mutant with its verdict.
    """

    notebook: Notebook
    name: str
    wrong: list[tuple[Answer, Verdict]]
    right: list[tuple[Answer, Verdict]]
    mutants: list[tuple[Mutant, Verdict]]

    @property
    def missed(self) -> list[Answer]:
        """Wrong answers that keep all points of their own cells in some run."""
        return [answer for answer, verdict in self.wrong if not verdict.caught]

    @property
    def losing(self) -> list[tuple[Answer, Verdict]]:
        """Right answers that lose a point somewhere in some run."""
        return [(answer, verdict) for answer, verdict in self.right if verdict.lost]

    @property
    def equivalent(self) -> dict[str, str]:
        """Keys of the mutants that are right answers, with reasons."""
        return equivalent_of(self.notebook.homework).get(self.name, {})

    @property
    def killed(self) -> list[Mutant]:
        """Mutants that lose a point."""
        return [mutant for mutant, verdict in self.mutants if verdict.caught]

    @property
    def surviving(self) -> list[Mutant]:
        """Mutants that lose no point and are not known to be equivalent."""
        killed = {mutant.key for mutant in self.killed}
        return [m for m, _ in self.mutants if m.key not in killed | self.equivalent.keys()]

    @property
    def points(self) -> float:
        """Points of the answer's own test cells."""
        return sum(self.notebook.cells[t].points for t in own_tests(self.notebook, self.name))

    def lost_elsewhere(self) -> list[tuple[Answer, dict[str, float]]]:
        """Return wrong answers that lose points in other cells, and how many points in which cell.

        Answers that return nothing, or one number everywhere, are left out.
        """
        is_no_answer = self.notebook.settings.is_no_answer
        wrong = [(answer, verdict) for answer, verdict in self.wrong if not is_no_answer(answer)]
        lost = [(answer, verdict.lost_elsewhere) for answer, verdict in wrong]
        return [(answer, cells) for answer, cells in lost if cells]


def hoped(verdict: Verdict, *, is_right: bool) -> bool:
    """Whether a verdict is the expected one.

    A right answer loses nothing. A wrong one is caught, and loses nothing in other cells.
    """
    return not verdict.lost if is_right else verdict.caught and not verdict.lost_elsewhere


def groups(notebook: Notebook) -> list[str]:
    """Return what is measured: functions, answers that take seconds, and whole submissions.

    An answer that is not a function is included if there are answers to it.
    """
    name = notebook.homework
    everything = [*wrong_answers(name), *right_answers(name), *whole_submissions(name)]
    written = {answer.function for answer in everything}
    others = [one for one in (*notebook.delivered, "whole") if one in written]
    return [*notebook.functions, *notebook.slow, *others]


def measure(
    notebook: Notebook, seeds: Seeds, kept: KeptVerdicts, *, isolated: bool = False
) -> Iterator[Measured]:
    """Score all answers to a homework, and mutants of its functions.

    Parameters
    ----------
    notebook
        The instructor's.
    seeds
        How many runs there are.
    kept
        Verdicts that were measured before.
    isolated
        Whether tests run in another process than answers, as they do in grading. Then mutants, of
        which there are many, and answers that take seconds are left out.
    """
    homework = notebook.homework
    rights = [*right_answers(homework), *whole_submissions(homework)]
    for name in groups(notebook):
        is_slow = name in notebook.slow
        if is_slow and isolated:
            continue
        wrong = [answer for answer in wrong_answers(homework) if answer.function == name]
        right = [answer for answer in rights if answer.function == name]
        with_mutants = name in notebook.functions and not isolated
        mutants = all_mutants(notebook, [name]) if with_mutants else []
        equivalent = equivalent_of(homework).get(name, {})

        def is_hoped(answer: Any, verdict: Verdict) -> bool:
            return hoped(verdict, is_right=False)

        def is_right(answer: Any, verdict: Verdict) -> bool:
            return hoped(verdict, is_right=True)

        def is_known(mutant: Any, verdict: Verdict, known: Iterable[str] = equivalent) -> bool:
            return verdict.caught != (mutant.key in known)

        times = range(1 if is_slow else seeds.wrong), range(seeds.slow if is_slow else seeds.right)
        one = {"isolated": isolated}
        yield Measured(
            notebook,
            name,
            list(kept.judge(notebook, wrong, times[0], hoped=is_hoped, **one)),
            list(kept.judge(notebook, right, times[1], hoped=is_right, **one)),
            list(kept.judge(notebook, mutants, range(1), hoped=is_known, tests="own", **one)),
        )
