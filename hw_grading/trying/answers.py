"""Answers other than mutants: right ones in other forms, those without knowledge, kept ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hw_grading.mistakes.known import Mistake, sentence_for
from hw_grading.trying import forms, kept
from hw_grading.trying.calls import Recorded
from hw_grading.trying.plan import Plan
from hw_grading.trying.report import Lost, Tried
from hw_grading.trying.submitting import Grading, Notebook, Submitted

_CAUSE = re.compile(r"Likely cause: (.+?)[.?]?(?: (?:Fresh input|Input): |$)")
_NOISE, _LOOKED_UP = "noise", "visible cases looked up"


def try_forms(grading: Grading, tried: Tried, recordings: Mapping[str, Recorded]) -> None:
    """Grade solutions in other forms: they should lose nothing."""
    for name, result in grading.graded(_in_other_forms(grading, recordings)):
        tried.forms += 1
        if result.lost:
            tried.forms_lost.append(Lost(name, result.lost, result.why))


def _in_other_forms(
    grading: Grading, recordings: Mapping[str, Recorded]
) -> Iterator[tuple[str, Submitted]]:
    for plan, cell, tests in grading.charged():
        made = {
            f"{name}: {form}": forms.in_form(cell.source, form, name)
            for name in cell.functions
            if (found := recordings[plan.name].get(name)) and found["keys"]
            for form in forms.forms_of(found["kinds"])
        }
        parameters = forms.parameters_in(answer.source for answer in plan.answers.values())
        if source := forms.by_keywords(cell.source, parameters):
            made[f"{cell.name}: {forms.KEYWORDS}"] = source
        for name, source in made.items():
            yield name, [(plan, tests, {cell.name: source})]


def try_without_knowledge(
    grading: Grading, tried: Tried, recordings: Mapping[str, Recorded], answers: Path
) -> None:
    """Grade noise, visible cases looked up, and the kept answers that should earn nothing."""
    noisy, looked_up = list[Notebook](), list[Notebook]()
    for plan in grading.plans:
        noise, lookups = {}, {}
        for cell in plan.answers.values():
            values = [name for name in cell.binds if name not in cell.functions]
            noise[cell.name] = forms.noise(cell.source, cell.functions, sorted(values))
            known = recordings[plan.name]
            seen = {name: known[name]["keys"] if name in known else [] for name in cell.functions}
            lookups[cell.name] = forms.looked_up(cell.source, seen) if seen else noise[cell.name]
        tests = grading.usable(plan, plan.tests)
        noisy.append((plan, tests, noise))
        # What a test shows in full can be looked up: `habits` says so.
        looked_up.append((plan, [t for t in tests if not plan.shows_all(t)], lookups))
    limits = kept.settings_of(answers).unearned
    made: list[tuple[kept.Answer, Submitted]] = []
    for what, submitted in ((_NOISE, noisy), (_LOOKED_UP, looked_up)):
        made.append((kept.Answer(kept.UNEARNED, what, {}, limits.get(what)), submitted))
    for answer in kept.submissions(answers, kept.UNEARNED):
        made.append((answer, grading.whole(answer.cells, answer.test)))
    for answer, result in grading.graded(made):
        earned = {test: points for test, points in result.earned.items() if points}
        if earned or answer.most:
            row = answer.name, sum(earned.values()), ", ".join(earned), answer.most
            tried.unearned.append(row)


def try_kept(grading: Grading, tried: Tried, answers: Path, mistakes: Sequence[Mistake]) -> None:
    """Grade the wrong and right answers that are kept with the homework.

    Of a wrong one students are told the sentences of known mistakes, or else causes in messages.
    """
    wrong, settings = kept.answers(answers, "wrong"), kept.settings_of(answers)
    right = [*kept.answers(answers, "right"), *kept.submissions(answers, "whole")]
    known = {name for plan in grading.plans for name in plan.answers}
    tried.findings += [
        f"the kept answer {answer}: no answer cell is named {name}"
        for answer in [*wrong, *right]
        for name in sorted(answer.cells.keys() - known)
    ]
    for answer, result in grading.graded((one, _submitted(grading, one)) for one in wrong):
        tried.wrong += 1
        tried.propose(answer.name, result.parts)
        own = [test for plan in grading.plans for test in tests_of(plan, answer.of)]
        if not result.lost and answer.name not in settings.limits.get(answer.of, ()):
            tried.missed.append(str(answer))
        elsewhere = {test: points for test, points in result.lost.items() if test not in own}
        if elsewhere and not settings.gives_nothing(answer):
            tried.elsewhere.append(Lost(str(answer), elsewhere, result.why))
        causes = {
            cause
            for part in result.parts
            for named in [sentence_for(mistakes, part.cell, part.fingerprint)]
            for cause in ([named] if named else _CAUSE.findall(part.message))
        }
        tried.causes += len(causes)
        tried.not_judged += [
            f"{answer}: {cause}" for cause in sorted(causes) if not settings.is_true(answer, cause)
        ]
    for answer, result in grading.graded((one, _submitted(grading, one)) for one in right):
        tried.right += 1
        if result.lost:
            tried.right_lost.append(Lost(str(answer), result.lost, result.why))


def _submitted(grading: Grading, answer: kept.Answer) -> Submitted:
    """Return a kept answer with the tests that it can change.

    A test of a training uses the other functions as the instructor's training does, and a student's
    own goes with the student's functions. So it is left out if the answer has none.
    """
    submitted = []
    for plan in grading.plans:
        own = {test for name in answer.cells for test in tests_of(plan, name)}
        affected = grading.usable(plan, plan.affected([*answer.cells]))
        tests = [test for test in affected if test in own or test not in grading.due]
        submitted.append((plan, tests, answer.cells))
    return submitted


def tests_of(plan: Plan, answer: str) -> Iterable[str]:
    """Return the tests that a notebook has for an answer."""
    return plan.tests_of(answer) if answer in plan.answers else ()
