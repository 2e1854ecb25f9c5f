"""Distributes a student's slip days over the homeworks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from hw_grading.final_scores.lateness import days_late, is_too_late
from hw_grading.final_scores.policy import Terms
from hw_grading.records.handed_in import HandedIn


def used_by_homework(
    handed_in: Iterable[HandedIn], terms: Callable[[str], Terms]
) -> dict[str, int]:
    """Return how many slip days each homework of one student uses.

    `handed_in` is sorted by the due date for all. The homework that is due first gets its days
    first, and the balance never falls below zero. Work after the last moment uses none: it
    scores 0 anyway.
    """
    used: dict[str, int] = {}
    for one in handed_in:
        of = terms(one.assignment)
        left = max(0, of.slip_days - sum(used.values()))
        needed = 0
        if one.when is not None and not is_too_late(of, one.due, one.when):
            needed = days_late(of, one.due, one.when)
        used[one.assignment] = min(left, needed, _allowed(one, of))
    return used


def _allowed(one: HandedIn, terms: Terms) -> int:
    asked = one.extension.slip if one.extension else None
    if asked is None:
        asked = terms.slip_days if terms.use_slip_days == "automatic" else 0
    return asked if terms.most_slip_days is None else min(asked, terms.most_slip_days)


def used_until(due: datetime, handed_in: Iterable[HandedIn], used: dict[str, int]) -> int:
    """Return how many days are used for homeworks that are due by that date."""
    return sum(used.get(one.assignment, 0) for one in handed_in if one.due_for_all <= due)
