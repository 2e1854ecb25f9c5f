"""Measure the test cells of one homework on all answers that are kept for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tools.validity.answers import Answer, answers, equivalent_of, submissions
from tools.validity.mutants import mutants_of
from tools.validity.scoring import Notebook, Scores, score_all

_CAUSE = re.compile(r"Likely cause: (.+?)[.?]?(?: (?:Fresh input|Input): |$)")
SOLUTION = Answer("instructor", "the instructor's own answers", {})


@dataclass
class Measured:
    """What was found of one homework; answers by "function: name"."""

    title: str = ""  # the number of seeds, and what was left out
    wrong: int = 0  # how many answers were scored; of mutants those that are wrong
    right: int = 0
    mutants: int = 0
    # Wrong answers that keep all points of their own tests with some seed; with a reason, those
    # that no test can catch.
    missed: list[str] = field(default_factory=list)
    limits: dict[str, str] = field(default_factory=dict)
    # The most points that wrong answers lose in other tests, those apart that give no result.
    elsewhere: dict[str, dict[str, float]] = field(default_factory=dict)
    no_result: dict[str, dict[str, float]] = field(default_factory=dict)
    # Messages by part of right answers that a visible case refuses; and of parts in which right
    # answers pass all visible cases and lose points in grading.
    refused: dict[str, dict[str, str]] = field(default_factory=dict)
    unfair: dict[str, dict[str, str]] = field(default_factory=dict)
    survivors: list[str] = field(default_factory=list)  # wrong mutants that no test catches
    not_equivalent: list[str] = field(default_factory=list)  # are caught, or no longer made
    unearned: list[tuple[Answer, float]] = field(default_factory=list)  # with the points earned
    causes: int = 0  # likely causes that were told of wrong answers
    not_judged: list[str] = field(default_factory=list)  # that nobody has judged true

    @property
    def in_one_cell(self) -> float:
        """The share of wrong answers with a result that cost points in one cell only."""
        return 1 - len(self.elsewhere) / max(1, self.wrong - len(self.no_result))

    @property
    def faults(self) -> list[str]:
        """What must not be, in a few words each."""
        found = {
            "missed wrong answers": self.missed,
            "unfair right answers": self.unfair,
            "equivalent mutants that are caught or missing": self.not_equivalent,
            "points without knowledge": [a for a, points in self.unearned if points > a.most],
            "likely causes that are not judged": self.not_judged,
            "mistakes in several cells, above 2 %": self.elsewhere
            if self.in_one_cell < 0.98
            else [],
        }
        return [what for what, those in found.items() if those]


def measure(notebook: Notebook, seeds: Sequence[int], without: Sequence[str] = ()) -> Measured:
    """Score all answers, with each seed, and mutants of all functions, with the first.

    Answers to the functions in `without` are left out. `RuntimeError` if the instructor's own
    answers lose points.
    """
    left_out = "".join(f", without `{name}`" for name in without)
    found = Measured(f"with {len(seeds)} seeds{left_out}")

    def scored(pool: list[Answer]) -> Iterator[tuple[Answer, list[Scores]]]:
        chosen = [answer for answer in pool if answer.function not in without]
        jobs = [(answer, _without(notebook, answer, without)) for answer in chosen]
        return score_all(notebook, jobs, seeds)

    ((_, own),) = scored([SOLUTION])
    if lost := _most_lost(own):
        raise RuntimeError(f"{SOLUTION.name} lose points: {lost}")
    for answer, runs in scored(answers(notebook.homework, "wrong")):
        _add_wrong(found, notebook, answer, runs)
    homework = notebook.homework
    rights = [*answers(homework, "right"), *submissions(homework, "whole")]
    losing = []
    for answer, runs in scored(rights):
        found.right += 1
        if _most_lost(runs):
            losing.append((answer, runs))
    _add_right(found, notebook, losing)
    for answer, runs in scored(submissions(homework, "unearned")):
        points = [sum(run[t].score for t in run if answer.test in (t, "")) for run in runs]
        found.unearned.append((answer, max(points)))
    _add_mutants(found, notebook, seeds[:1])
    return found


def _without(notebook: Notebook, answer: Answer, without: Sequence[str]) -> tuple[str, ...]:
    tests = notebook.tests_for(answer)
    return tuple(test for test in tests if notebook.charged(test) not in without)


def _most_lost(runs: list[Scores]) -> dict[str, float]:
    """Return the most points lost in one run, by test cell, without cells that lose none."""
    most = {test: max(run[test].lost for run in runs) for test in runs[0]}
    return {test: lost for test, lost in most.items() if lost}


def _add_wrong(found: Measured, notebook: Notebook, answer: Answer, runs: list[Scores]) -> None:
    own, settings = notebook.tests_of(answer.function), notebook.settings
    found.wrong += 1
    if not all(any(run[test].lost for test in own) for run in runs):
        if reason := settings.limits.get(answer.function, {}).get(answer.name):
            found.limits[str(answer)] = reason
        else:
            found.missed.append(str(answer))
    nothing = settings.gives_nothing(answer)
    others = {test: lost for test, lost in _most_lost(runs).items() if test not in own}
    if others or nothing:
        (found.no_result if nothing else found.elsewhere)[str(answer)] = others
    messages = [part.message for run in runs for test in own for part in run[test].parts]
    causes = sorted({match[1] for message in messages if (match := _CAUSE.search(message))})
    found.causes += len(causes)
    found.not_judged += [f"{answer}: {c}" for c in causes if not settings.is_true(answer, c)]


def _add_right(
    found: Measured, notebook: Notebook, losing: list[tuple[Answer, list[Scores]]]
) -> None:
    """Sort right answers that lose points: into those that a visible case refuses, and others."""
    jobs = [(answer, tuple(runs[0])) for answer, runs in losing]
    visible = score_all(notebook, jobs, [0], visible=True)
    for (answer, (desk,)), (_, runs) in zip(visible, losing, strict=True):
        for test in _most_lost(runs):
            told = desk[test].failed
            for part, message in {
                p: m for run in runs for p, m in run[test].failed.items()
            }.items():
                to = found.refused if part in told else found.unfair
                to.setdefault(str(answer), {})[part] = told.get(part, message)


def _add_mutants(found: Measured, notebook: Notebook, seeds: Sequence[int]) -> None:
    equivalent = equivalent_of(notebook.homework)
    known = {(f, line) for f, lines in equivalent.items() for line in lines}
    mutants = [mutant for f in notebook.functions for mutant in mutants_of(notebook, f)]
    jobs = [(mutant, notebook.tests_of(mutant.function)) for mutant in mutants]
    survived = set()
    for mutant, runs in score_all(notebook, jobs, seeds):
        if not _most_lost(runs):
            survived.add((mutant.function, mutant.name))
    found.mutants = len({(m.function, m.name) for m in mutants} - known)
    found.survivors = [f"{f}: {line}" for f, line in sorted(survived - known)]
    found.not_equivalent = [f"{f}: {line}" for f, line in sorted(known - survived)]
