"""Answers other than mutants: right ones in other forms, those without knowledge, kept ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from hw_grading.trying import forms, kept
from hw_grading.trying.calls import Recorded
from hw_grading.trying.plan import Plan
from hw_grading.trying.report import Lost, Tried
from hw_grading.trying.submitting import Grading, Notebook, Result

_CAUSE = re.compile(r"Likely cause: (.+?)[.?]?(?: (?:Fresh input|Input): |$)")


def try_forms(grading: Grading, tried: Tried, recordings: Mapping[str, Recorded]) -> None:
    """Grade solutions in other forms: they should lose nothing."""

    def note(name: str, result: Result) -> None:
        tried.forms += 1
        if result.lost:
            tried.forms_lost.append(Lost(name, result.lost, result.why))

    for plan, cell, tests in grading.charged():
        found = recordings[plan.name]
        made = {
            f"{name}: {form}": forms.in_form(cell.source, form, [name])
            for name in cell.functions
            if found["keys"].get(name)
            for form in forms.forms_of(found["kinds"][name])
        }
        parameters = forms.parameters_in(one.source for one in plan.answers.values())
        if source := forms.by_keywords(cell.source, parameters):
            made[f"{cell.name}: {forms.KEYWORDS}"] = source
        for name, source in made.items():
            grading.ask(name, [(plan, tests, {cell.name: source})], partial(note, name))


def try_without_knowledge(
    grading: Grading, tried: Tried, recordings: Mapping[str, Recorded], answers: Path
) -> None:
    """Grade noise, visible cases looked up, and the kept answers that should earn nothing."""
    limits = kept.settings_of(answers).unearned

    def note(what: str, most: float | None, result: Result) -> None:
        earned = {test: points for test, points in result.earned.items() if points}
        if earned or most:
            tried.unearned.append((what, sum(earned.values()), ", ".join(earned), most))

    noisy, looked_up = list[Notebook](), list[Notebook]()
    for plan in grading.plans:
        keys = recordings[plan.name]["keys"]
        noise, lookups = {}, {}
        for cell in plan.answers.values():
            values = [name for name in cell.binds if name not in cell.functions]
            noise[cell.name] = forms.noise(cell.source, cell.functions, sorted(values))
            seen = {name: keys.get(name, []) for name in cell.functions}
            lookups[cell.name] = forms.looked_up(cell.source, seen) if seen else noise[cell.name]
        tests = grading.usable(plan, plan.tests)
        noisy.append((plan, tests, noise))
        # What a test shows in full can be looked up: `habits` says so.
        looked_up.append((plan, [t for t in tests if not plan.shows_all(t)], lookups))
    for what, submitted in (("noise", noisy), ("visible cases looked up", looked_up)):
        grading.ask(what, submitted, partial(note, what, limits.get(what)))
    for answer in kept.submissions(answers, "unearned"):
        whole = grading.whole(answer.cells, answer.test)
        grading.ask(str(answer), whole, partial(note, answer.name, answer.most))


def try_kept(grading: Grading, tried: Tried, answers: Path) -> None:
    """Grade the wrong and right answers that are kept with the homework."""
    settings = kept.settings_of(answers)

    def wrong(answer: kept.Answer, result: Result) -> None:
        tried.wrong += 1
        own = [test for plan in grading.plans for test in _tests_of(plan, answer.of)]
        if not result.lost and answer.name not in settings.limits.get(answer.of, ()):
            tried.missed.append(str(answer))
        elsewhere = {test: points for test, points in result.lost.items() if test not in own}
        if elsewhere and not settings.gives_nothing(answer):
            tried.elsewhere.append(Lost(str(answer), elsewhere, result.why))
        causes = {cause for part in result.parts for cause in _CAUSE.findall(part.message)}
        tried.causes += len(causes)
        tried.not_judged += [
            f"{answer}: {cause}" for cause in sorted(causes) if not settings.is_true(answer, cause)
        ]

    def right(answer: kept.Answer, result: Result) -> None:
        tried.right += 1
        if result.lost:
            tried.right_lost.append(Lost(str(answer), result.lost, result.why))

    known = {name for plan in grading.plans for name in plan.answers}
    kinds = [
        (wrong, kept.answers(answers, "wrong")),
        (right, kept.answers(answers, "right") + kept.submissions(answers, "whole")),
    ]
    for note, those in kinds:
        for answer in those:
            tried.findings += [
                f"the kept answer {answer}: no answer cell is named {name}"
                for name in sorted(answer.cells.keys() - known)
            ]
            submitted = [
                (plan, _tests_for(grading, plan, answer), answer.cells) for plan in grading.plans
            ]
            grading.ask(str(answer), submitted, partial(note, answer))


def _tests_for(grading: Grading, plan: Plan, answer: kept.Answer) -> list[str]:
    """Return the tests that an answer can change.

    A test of a training uses the other functions as the instructor's training does, and a student's
    own goes with the student's functions. So it is left out if the answer has none.
    """
    own = {test for name in answer.cells for test in _tests_of(plan, name)}
    affected = grading.usable(plan, plan.affected([*answer.cells]))
    return [test for test in affected if test in own or test not in grading.due]


def _tests_of(plan: Plan, answer: str) -> Iterable[str]:
    return plan.tests_of(answer) if answer in plan.answers else ()
