"""The page of a class's mistakes: its figures, its groups, their code, names and pardons.

Texts are sent as they are, without control characters; the page shows them as texts.
"""

import json
from collections import Counter
from dataclasses import asdict
from difflib import SequenceMatcher
from hashlib import sha256
from typing import Any

from hw_grading.desk.desks import HomeworkDesk, NotThere
from hw_grading.grade.settings import WholeClass
from hw_grading.gradebook.model import Refused, expect_text
from hw_grading.gradebook.results import Results, read_results
from hw_grading.mistakes.figures import figures_of
from hw_grading.mistakes.groups import (
    Group,
    answers_to_tests,
    code_of,
    gains_of,
    groups_of,
)
from hw_grading.mistakes.known import Mistake, read_mistakes, remove_mistake, write_mistake
from hw_grading.mistakes.proposed import FOLDER, read_proposed
from hw_grading.texts import without_codes, without_controls
from hw_support.submission.problems import plain

MAX_READ = 40  # notebooks of a group
_MAX_LINES, _LONGEST_LINE = 200, 300  # of an answer; characters
_LONGEST_MESSAGE = 600  # characters

Json = dict[str, Any]


def all_groups(desk: HomeworkDesk) -> Json:
    """Return the figures of the class, and the groups of each question, the largest first."""
    results, groups = _groups(desk)
    return {
        "figures": asdict(figures_of(results)),
        "questions": [
            {
                "cell": test,
                "title": str(results.places[test]),
                "groups": [_of_group(group) for group in of_test],
            }
            for test, of_test in groups.items()
        ],
    }


def group(desk: HomeworkDesk, test: str, key: str) -> Json:
    """Return a group with code: the shortest answer, and how others differ from it.

    At most `MAX_READ` answers are read. `NotThere` if there is no such group any more.
    """
    results, found = _group(desk, test, key)
    answers = answers_to_tests(desk.course, desk.assignment).get(test, ())
    order = desk.book.order(test, found.lost)
    by_code: dict[tuple[str, ...], list[str]] = {}
    for student in order[:MAX_READ]:
        lines = _lines_of(code_of(desk.course, desk.assignment, student, answers))
        by_code.setdefault(lines, []).append(student)
    first = min(by_code, key=lambda lines: (not lines, sum(map(len, lines)), lines))
    others = sorted(by_code.keys() - {first}, key=lambda lines: (-len(by_code[lines]), lines))
    gains, names = gains_of(found, results), desk.book.names()
    folder = WholeClass(config=desk.course.config).place(desk.course.root) / FOLDER
    proposed = read_proposed(folder, desk.assignment).get(test, {})
    return {
        **_of_group(found),
        "proposed": next(filter(None, map(proposed.get, found.key)), ""),
        "code": first,
        "answer": answers[-1] if answers else "",
        "by": by_code[first],
        "others": [{"by": by_code[one], "lines": _differences(first, one)} for one in others],
        "more": len(order[MAX_READ:]),
        "numbers": {student: number for number, student in enumerate(order, 1)},
        "names": {student: names.get(student, "") for student in order[:MAX_READ]},
        "gains": sorted(Counter(gains.values()).items(), reverse=True),
        "plan": _digest(gains),
    }


def name(desk: HomeworkDesk, test: str, key: str, sentence: str) -> Json:
    """Name the mistake of a group, or take its name if the sentence is empty; return the group."""
    results, found = _group(desk, test, key)
    sentence = " ".join(sentence.split())
    expect_text(sentence)
    if not found.key:
        raise Refused("Nothing is known of these failures, so they cannot have a name.")
    if sentence:
        before = found.known or Mistake(test=test, sentence=sentence, fingerprints=found.key)
        mistake = before.model_copy(update={"sentence": sentence})
        write_mistake(results.course.root, desk.assignment, mistake)
    elif found.known:
        remove_mistake(results.course.root, desk.assignment, found.known)
    return _of_group(_group(desk, test, key)[1])


def pardon(desk: HomeworkDesk, test: str, key: str, plan: str, reason: str, grader: str) -> Json:
    """Give each of a group the points that it lost, as the page has shown; return the group.

    `Refused` if the points or the students are others by now.
    """
    results, found = _group(desk, test, key)
    gains = gains_of(found, results)
    if not gains:
        raise Refused("All of these answers have their points already.")
    if _digest(gains) != plan:
        raise Refused("These answers or their points have changed. Load the page again.")
    desk.book.correct_group(test, gains, reason, grader)
    return group(desk, test, key)


def _groups(desk: HomeworkDesk) -> tuple[Results, dict[str, list[Group]]]:
    results = read_results(desk.course, desk.assignment)
    mistakes = read_mistakes(desk.course.root, desk.assignment)
    return results, groups_of(results, mistakes)


def _group(desk: HomeworkDesk, test: str, key: str) -> tuple[Results, Group]:
    results, groups = _groups(desk)
    for one in groups.get(test, ()):
        if one.id == key:
            return results, one
    raise NotThere("No answers are alike in this way any more. Load the page again.")


def _of_group(one: Group) -> Json:
    return {
        "id": one.id,
        "students": len(one.lost),
        "lost": round(sum(one.lost.values()), 6),
        "message": plain(one.message, _LONGEST_MESSAGE),
        "sentence": one.sentence,
        "named": one.known is not None,
        "terms": dict(one.known.terms) if one.known else {},
        "nameable": bool(one.key),
        "several": one.may_be_several,
        "pardons": [
            {"key": p.key, "reason": p.reason, "author": p.author, "points": p.points}
            | {"students": len(p.who)}
            for p in one.pardons
        ],
    }


def _digest(gains: dict[str, float]) -> str:
    return sha256(json.dumps(sorted(gains.items())).encode()).hexdigest()


def _lines_of(code: str) -> tuple[str, ...]:
    """Return the lines of an answer as they are shown, without those at the end that are empty."""
    lines = [
        without_controls(line.rstrip())[:_LONGEST_LINE] for line in without_codes(code).split("\n")
    ]
    return tuple("\n".join(lines[:_MAX_LINES]).rstrip().split("\n")) if code.strip() else ()


def _differences(first: tuple[str, ...], other: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the lines of both answers: those of the first alone "-", of the other alone "+"."""
    lines: list[tuple[str, str]] = []
    matcher = SequenceMatcher(None, first, other, autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            lines += [(" ", line) for line in first[a:b]]
        else:
            lines += [("-", line) for line in first[a:b]] + [("+", line) for line in other[c:d]]
    return lines
