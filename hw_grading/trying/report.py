"""What was found out about a homework's tests, as lines and as a page."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from hw_grading.outcome import PartResult
from hw_grading.texts import in_digits, write_whole
from hw_support.checks.fingerprint import is_of_results

_MAX_SHOWN = 12  # rows of a list on the terminal
_NUMBER = r"  # \d+$"  # behind a changed line, which tells it from others
_LONGEST_CASE = 400  # characters; a longer one does not help
# Titles of lists that need no decision.
_VARIED = "What the calls of your tests have in common, by argument"
_SAME = "Perhaps equivalent: no input was found that tells them from the solution"
_NO_DECISION = _VARIED, _SAME


@dataclass(frozen=True)
class Changed:
    """A wrong answer, made from a solution, that all tests let pass."""

    answer: str
    test: str
    before: str  # the line of the solution
    after: str
    told_by: str = ""  # an input for which it gives another result; "" if none was found
    case: str = ""  # the same as code for the test; "" if there is none
    is_concept: bool = False  # whether `after` is a sentence, not the changed line


def _shown(mutants: Iterable[Changed]) -> list[str]:
    """Return differences of a line, and what to do; those that one case would catch together."""
    together: dict[tuple[str, ...], list[Changed]] = {}
    for number, one in enumerate(mutants):
        key = (one.answer, one.told_by.partition(" gives ")[0]) if one.told_by else (str(number),)
        together.setdefault(key, []).append(one)
    return ["\n".join(_lines_of(those)) for those in together.values()]


def _lines_of(mutants: Sequence[Changed]) -> Iterator[str]:
    first = mutants[0]
    yield f"{first.answer}:"
    for before, those in itertools.groupby(mutants, lambda one: one.before):
        group = list(those)
        if not all(one.is_concept for one in group):
            yield f"    - {before}"
        for one in group:
            after = one.after if one.is_concept else f"+ {without_number(one.after)}"
            yield f"    {after}"
    if first.told_by:
        yield f"    in {first.test}: {first.told_by}"
    if first.case and len(first.case) <= _LONGEST_CASE:
        yield from (f"        {line}" for line in first.case.split("\n"))


def without_number(line: str) -> str:
    """Return a changed line without the number that tells it from others."""
    return re.sub(_NUMBER, "", line)


@dataclass(frozen=True)
class Lost:
    """An answer that loses points, by test, and the first message."""

    answer: str
    points: Mapping[str, float]
    message: str

    def __str__(self) -> str:
        where = ", ".join(f"{in_digits(p)} in {test}" for test, p in self.points.items())
        return f"{self.answer}: loses {where}. {self.message}".strip()


@dataclass
class Tried:
    """What was found out about the tests of one homework."""

    assignment: str
    points: float
    solutions: float  # points of the instructor's own solutions
    untouched: float  # points of the released notebook
    digest: str = ""  # of the cells and the kept answers that were tried
    findings: list[str] = field(default_factory=list)  # sentences on what is wrong for sure
    habits: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # tests, or parts, that take long
    mutants: int = 0
    caught: int = 0
    none_passes: bool = False  # whether the solutions pass no test, so that nothing else was tried
    survivors: list[Changed] = field(default_factory=list)
    # Those to random functions, in how many gradings chance has caught them, and of how many.
    by_chance: list[tuple[Changed, int, int]] = field(default_factory=list)
    beyond: list[Changed] = field(default_factory=list)  # told by inputs unlike those of tests
    varied: list[str] = field(default_factory=list)  # what calls of each function have in common
    perhaps_equivalent: list[Changed] = field(default_factory=list)
    forms: int = 0
    forms_lost: list[Lost] = field(default_factory=list)
    # What earns points without knowledge, how many, where; and how many are fine, if anybody said.
    unearned: list[tuple[str, float, str, float | None]] = field(default_factory=list)
    wrong: int = 0
    missed: list[str] = field(default_factory=list)
    elsewhere: list[Lost] = field(default_factory=list)  # charged in more than one cell
    right: int = 0
    right_lost: list[Lost] = field(default_factory=list)
    # Names of wrong answers, by test and by the fingerprint of their results.
    proposed: dict[str, dict[str, str]] = field(default_factory=dict)
    causes: int = 0
    not_judged: list[str] = field(default_factory=list)
    stopped: bool = False  # whether Ctrl-C has ended it early

    def propose(self, name: str, parts: Iterable[PartResult]) -> None:
        """Note a name for the wrong results of these parts, unless they have one."""
        for part in parts:
            if is_of_results(part.fingerprint):
                self.proposed.setdefault(part.cell, {}).setdefault(part.fingerprint, name)

    @property
    def is_fine(self) -> bool:
        """Whether nothing is to do."""
        too_many = any(points > most for _, points, _, most in self.unearned if most is not None)
        by_chance = any(count for _, count, _ in self.by_chance)
        to_do = (self.findings, self.survivors, self.missed, self.right_lost, self.not_judged)
        ended = self.stopped or self.none_passes
        return not (any(to_do) or by_chance or too_many or self.untouched or ended)

    def lines(self) -> Iterator[str]:
        """Yield what the command prints."""
        yield f"{self.assignment}: {self._first_line()}"
        rows = self.figures()
        for what, figure in rows[:2] if self.none_passes else rows:
            yield f"  {what}: {figure}"
        for title, those in self.lists():
            yield f"{title}:"
            for row in those[:_MAX_SHOWN]:
                yield from (f"  {line}" for line in row.split("\n"))
            if len(those) > _MAX_SHOWN:
                yield f"  and {len(those) - _MAX_SHOWN} more, on the page"
        if self.stopped:
            yield "Stopped: the rest was not tried. What was tried is kept for the next run."

    def _first_line(self) -> str:
        if self.none_passes:
            return "your solutions pass no test, so nothing else was tried"
        by_chance = sum(bool(count) for _, count, _ in self.by_chance)
        if not (count := len(self.survivors) + len(self.missed) + by_chance):
            return "of the wrong answers that were tried, none gets full points"
        answers = "1 wrong answer gets" if count == 1 else f"{count} wrong answers get"
        has_cases = any(survivor.case for survivor in self.survivors)
        return f"{answers} full points" + ("; paste these lines" if has_cases else "")

    def figures(self) -> list[tuple[str, str]]:
        """Return what was counted, and how many."""
        rows = [
            ("your solutions", f"{in_digits(self.solutions)} of {in_digits(self.points)} points"),
            ("the untouched release", f"{in_digits(self.untouched)} points"),
            ("mutants that are caught", f"{self.caught} of {self.mutants}"),
            ("mutants that are perhaps equivalent", str(len(self.perhaps_equivalent))),
            ("right answers in other forms that lose nothing",
             f"{self.forms - len(self.forms_lost)} of {self.forms}"),
        ]  # fmt: skip
        shares: list[tuple[str, Sequence[object], int]] = [
            ("kept wrong answers that are caught", self.missed, self.wrong),
            ("that cost points in one cell only", self.elsewhere, self.wrong),
            ("kept right answers that lose nothing", self.right_lost, self.right),
            ("likely causes told, judged true", self.not_judged, self.causes),
        ]
        rows += [(what, f"{of - len(failed)} of {of}") for what, failed, of in shares if of]
        if not self.unearned:
            rows.append(("without knowledge", "0 points"))
        for what, points, where, most in self.unearned:
            said = f"{in_digits(points)} points{f' in {where}' if where else ''}"
            said += f"; at most {in_digits(most)} are fine" if most else ""
            rows.append((f"without knowledge: {what}", said))
        return rows

    def markdown(self, *, is_short: bool = False) -> str:
        """Return everything as Markdown; if short, without the lists that need no decision."""
        table = ["| | |", "|---|---|", *(f"| {a} | {b} |" for a, b in self.figures())]
        about = f"<!-- {self.assignment} {self.digest} -->\n## {self.assignment}"
        parts = [about, "\n".join(table)]
        left_out = _NO_DECISION if is_short else ()
        for title, rows in self.lists():
            if title in left_out:
                continue
            parts += [f"### {title}", "\n".join(["```", *rows, "```"])]
        return "\n\n".join(parts) + "\n"

    def lists(self) -> list[tuple[str, Sequence[str]]]:
        """Return title and rows of each list that has some."""
        long = "Only your solutions were graded in these, because a cell that they need takes long"
        chance = (
            "Wrong answers to random functions, which chance decides: compare more draws, with "
            "`checks.random` or a tolerance"
        )
        beyond = (
            "Wrong answers that only inputs unlike yours tell. If your solution is right there, "
            "add such a case"
        )
        every: dict[str, Sequence[str]] = {
            "Wrong answers that no test catches": _shown(self.survivors),
            "To repair": self.findings,
            chance: [
                f"{_shown([one])[0]}\n    caught in {count} of {times}"
                for one, count, times in self.by_chance
            ],
            "Kept wrong answers that get all points": self.missed,
            "Wrong answers that lose points in other cells too": [*map(str, self.elsewhere)],
            "Right answers that lose points": [*map(str, self.right_lost)],
            "Other forms that lose points: is that deserved?": [*map(str, self.forms_lost)],
            "Likely causes that nobody has judged": self.not_judged,
            beyond: _shown(self.beyond),
            _VARIED: self.varied,
            _SAME: _shown(self.perhaps_equivalent),
            "Habits": self.habits,
            long: self.left_out,
        }
        return [(title, rows) for title, rows in every.items() if rows]

    def keep(self, path: Path, about: str) -> None:
        """Write the report into a file, with a digest of what it is about."""
        write_whole(path, _KEPT.dump_json((about, self)))

    @staticmethod
    def read(path: Path, about: str) -> Tried | None:
        """Return the report in a file, if it is about the same."""
        try:
            of, tried = _KEPT.validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        return tried if of == about else None


_KEPT = TypeAdapter(tuple[str, Tried])
_HEAD = """# How right the tests are

`hw-grading try` wrote this page. The grader itself graded every answer, as a submission: the
instructor's solutions with several draws of fresh cases, mutants of each solution, the solutions in
other forms, answers without knowledge, and answers that are kept with the homework.

- A **mutant** is a solution with one node of its syntax tree changed, or with a mistake that
  students make: an argument is ignored, cut or changed in place, a pattern is narrower, a loop
  stops. It is caught if any test takes points from it. If none does, inputs like those of the tests
  are searched that tell it from the solution. If none is found either, it is perhaps as right as
  the solution: it counts as not caught. Mistakes that only inputs unlike those of the tests tell
  are listed, and not counted.
- A **wrong answer** is caught if any test takes points. It should cost points in the test of its
  own function only. The rest of the submission is the instructor's, and may not fit it: then the
  test of another function loses points too.
- The shares are those of kinds of mistakes, not of students: of answers that are alike, one or two
  are kept.

Lists that need no decision are in `grading/tried/HOMEWORK.md` of your course, where each homework
has a page of its own: mutants that are perhaps equivalent, and what the calls of your tests have in
common.

"""


def write_page(path: Path, tried: Sequence[Tried], *, is_short: bool = False) -> None:
    """Write a page about homeworks, as Markdown; if short, with what needs a decision."""
    pages = (one.markdown(is_short=is_short) for one in tried)
    write_whole(path, (_HEAD + "\n".join(pages)).encode())
