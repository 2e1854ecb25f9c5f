"""Hints for graders: what the facts of an answer's plots say, and the rubric's items that fit.

The facts come from the student's process. So nothing is scored by them, and the pages call them
hints.
"""

from functools import lru_cache
from typing import Any

from hw_grading.desk.answers import Glance
from hw_grading.gradebook.model import Question
from hw_support import figures
from hw_support.figures import Facts

NO_FACTS, FINE = "no hints", "nothing missing"


def of_an_answer(question: Question, glance: Glance) -> dict[str, Any]:
    """Return what is wrong with an answer's plots, what they show, and the items that fit."""
    found = glance.figures
    asked = question.conditions.items() if found else ()
    fits = {item for item, conditions in asked if not figures.failing(found, conditions)}
    return {
        "wrong": list(_wrong(found, _all(question))),
        "shown": figures.summaries(found),
        "suggested": sorted(fits),
    }


def in_the_grid(question: Question, glance: Glance) -> tuple[str, ...]:
    """Return the words by which an answer with a plot is found."""
    if not glance.figures:
        return (NO_FACTS,) if glance.pictures else ()
    return _wrong(glance.figures, _all(question)) or (FINE,)


def _all(question: Question) -> str:
    return ", ".join([question.expected, *question.conditions.values()])


@lru_cache(maxsize=20_000)
def _wrong(found: tuple[Facts, ...], conditions: str) -> tuple[str, ...]:
    return tuple(figures.wrong(found, conditions))
