"""Wrong answers, made from solutions, that tests should catch: mutants and mistakes of students."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hw_grading.homework.notebook import uses_checks
from hw_grading.trying.calls import Recorded
from hw_grading.trying.concepts import concepts_of
from hw_grading.trying.inputs import telling_input
from hw_grading.trying.mutants import Mutant, mutants_of
from hw_grading.trying.plan import CodeCell, Plan
from hw_grading.trying.report import Changed, Tried, without_number
from hw_grading.trying.submitting import Grading, Submitted, names

_SEARCH_CPU_SECONDS = 2.0  # for an input that tells a wrong answer
_TIMES = 5  # that a wrong answer to a random function is graded again


@dataclass(frozen=True, eq=False)
class _Wrong:
    """A wrong answer to one solution, and the tests that should catch it."""

    plan: Plan
    cell: CodeCell
    tests: Sequence[str]
    mutant: Mutant

    def __str__(self) -> str:
        return f"{self.cell.name}: `{self.mutant.name}`"

    def in_tests(self, tests: Sequence[str]) -> Submitted:
        return [(self.plan, tests, {self.cell.name: self.mutant.source})]

    def told(self) -> str:
        """Return what students may read: the wrong line, and not that of the solution."""
        name = self.mutant.name
        return name if self.mutant.is_concept else f"Look at the line `{without_number(name)}`."

    def changed(self, told: str = "", code: str = "") -> Changed:
        answer, test = self.plan.label(self.cell), f"{self.tests[0]} ({self.plan.name}.ipynb)"
        made = self.mutant
        return Changed(answer, test, made.instead, made.name, told, code, made.is_concept)


def try_wrong_answers(
    grading: Grading, tried: Tried, recordings: Mapping[str, Recorded], most: int | None
) -> None:
    """Grade at most this number of mutants of each solution (None: all), and tell the survivors.

    Survivors that an early end has left untold are listed with those that nothing tells.
    """
    survivors: list[_Wrong] = []
    try:
        _grade(grading, tried, [*_made(grading, recordings, most)], survivors)
        _tell(grading, tried, survivors)
    finally:
        tried.perhaps_equivalent += [o.changed() for o in survivors if not o.mutant.is_concept]


def _made(
    grading: Grading, recordings: Mapping[str, Recorded], most: int | None
) -> Iterator[_Wrong]:
    draw = random.Random(1)  # the same ones each time
    for plan, cell, tests in grading.charged():
        mutants = mutants_of(cell.source)
        if most is not None and len(mutants) > most:
            numbers = sorted(draw.sample(range(len(mutants)), most))
            mutants = [mutants[number] for number in numbers]
        mutants += concepts_of(cell.source, cell.functions, recordings[plan.name])
        yield from (_Wrong(plan, cell, tests, mutant) for mutant in mutants)


def _grade(grading: Grading, tried: Tried, made: Sequence[_Wrong], survivors: list[_Wrong]) -> None:
    """Grade wrong answers in their own tests, and those that survive in all that they change."""
    asked = ((one, one.in_tests(one.tests)) for one in made)
    for one, result in grading.graded(asked, is_mutant=True):
        tried.mutants += 1
        tried.caught += bool(result.lost)
        tried.propose(one.told(), result.parts)
        if not result.lost:
            survivors.append(one)
    elsewhere = []
    for one in survivors:
        affected = grading.usable(one.plan, one.plan.affected([one.cell.name]))
        others = [test for test in affected if test not in one.tests]
        elsewhere.append((one, one.in_tests(others)))
    for one, result in grading.graded(elsewhere, is_mutant=True):
        if result.lost:
            tried.caught += 1
            survivors.remove(one)


def _tell(grading: Grading, tried: Tried, survivors: list[_Wrong]) -> None:
    """Look for inputs that tell survivors, and take these out of the list."""
    searches = [
        grading.remembered(
            telling_input,
            survivor.plan.reference,
            survivor.plan.sources(survivor.tests),
            survivor.cell.source,
            survivor.mutant.source,
            grading.homework,
            _SEARCH_CPU_SECONDS,
            uses_checks(survivor.plan.notebook.cells[survivor.plan.tests[survivor.tests[0]].index]),
            survivor.mutant.is_concept,
        )
        for survivor in survivors
    ]
    of_random = []
    for search in searches:
        told, code, about = search() or ("", "", "")
        one = survivors.pop(0)
        if one.mutant.is_concept and (about or not told):
            tried.mutants -= 1  # nothing that tests are about tells it from the solution
        if about == "random" and not one.mutant.is_concept:
            of_random.append(one)
        elif about == "beyond":
            tried.beyond.append(one.changed(told))
        elif told:
            tried.survivors.append(one.changed(told, code))
        elif not one.mutant.is_concept:
            tried.perhaps_equivalent.append(one.changed())
    caught: Counter[_Wrong] = Counter()
    again = [(one, one.in_tests(one.tests)) for one in of_random]
    for one, result in grading.graded(again, who=names(_TIMES)):
        caught[one] += bool(result.lost)  # chance catches some
    tried.by_chance += [(one.changed(), caught[one], _TIMES + 1) for one in of_random]
