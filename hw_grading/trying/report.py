"""What was found out about a homework's tests, as lines and as a page."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hw_grading.rendering import templates_in
from hw_grading.texts import in_digits, write_whole

_MAX_SHOWN = 12  # rows of a list on the terminal
_NUMBER = r"  # \d+$"  # behind a changed line, which tells it from others
_LONGEST_CASE = 400  # characters; a longer one does not help


@dataclass(frozen=True)
class Changed:
    """A mutant that all tests let pass."""

    answer: str
    test: str
    before: str  # the line of the solution
    after: str
    told_by: str  # an input for which it gives another result; "" if none was found
    case: str  # the same as code for the test; "" if there is none


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
        yield f"    - {before}"
        yield from (f"    + {re.sub(_NUMBER, '', one.after)}" for one in those)
    if first.told_by:
        yield f"    add this case to {first.test}: {first.told_by}"
    if first.case and len(first.case) <= _LONGEST_CASE:
        yield f"        {first.case}"


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
    survivors: list[Changed] = field(default_factory=list)
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
    causes: int = 0
    not_judged: list[str] = field(default_factory=list)
    stopped: bool = False  # whether Ctrl-C has ended it early

    @property
    def is_fine(self) -> bool:
        """Whether nothing is to do."""
        too_many = any(points > most for _, points, _, most in self.unearned if most is not None)
        to_do = (self.findings, self.survivors, self.missed, self.right_lost, self.not_judged)
        return not (any(to_do) or too_many or self.untouched or self.stopped)

    def lines(self) -> Iterator[str]:
        """Yield what the command prints."""
        indent = " " * (len(self.assignment) + 2)
        points = in_digits(self.points)
        yield (
            f"{self.assignment}: your solutions {in_digits(self.solutions)} of {points}; "
            f"the untouched release {in_digits(self.untouched)}"
        )
        told = [f"mutants caught {self.caught} of {self.mutants}"]
        told += [f"other right forms kept {self.forms - len(self.forms_lost)} of {self.forms}"]
        if self.wrong:
            one = "in one cell each" if not self.elsewhere else f"{len(self.elsewhere)} in several"
            told += [
                f"kept wrong answers caught {self.wrong - len(self.missed)} of {self.wrong}, {one}"
            ]
        if self.right:
            told += [f"kept right answers kept {self.right - len(self.right_lost)} of {self.right}"]
        yield f"{indent}{'; '.join(told)}"
        for what, earned, where, _ in self.unearned:
            said = f" ({where})" if where else ""
            yield f"{indent}without knowledge, {what}: {in_digits(earned)} of {points}{said}"
        if not self.unearned:
            yield f"{indent}without knowledge: 0 of {points}"
        for title, rows in self.lists():
            yield f"{title}:"
            for row in rows[:_MAX_SHOWN]:
                yield from (f"  {line}" for line in row.split("\n"))
            if len(rows) > _MAX_SHOWN:
                yield f"  and {len(rows) - _MAX_SHOWN} more, on the page"
        if self.stopped:
            yield "Stopped: the rest was not tried. What was tried is kept for the next run."

    def figures(self) -> list[tuple[str, str]]:
        """Return the rows of the page's table."""
        rows = [
            ("your solutions", f"{in_digits(self.solutions)} of {in_digits(self.points)} points"),
            ("the untouched release", f"{in_digits(self.untouched)} points"),
            ("mutants that are caught", f"{self.caught} of {self.mutants}"),
            ("mutants that are perhaps equivalent", str(len(self.perhaps_equivalent))),
            ("right answers in other forms that lose nothing",
             f"{self.forms - len(self.forms_lost)} of {self.forms}"),
        ]  # fmt: skip
        if self.wrong:
            caught, one = self.wrong - len(self.missed), self.wrong - len(self.elsewhere)
            rows += [
                ("kept wrong answers that are caught", f"{caught} of {self.wrong}"),
                ("that cost points in one cell only", f"{one} of {self.wrong}"),
            ]
        if self.right:
            fine = self.right - len(self.right_lost)
            rows.append(("kept right answers that lose nothing", f"{fine} of {self.right}"))
        if self.causes:
            true = self.causes - len(self.not_judged)
            rows.append(("likely causes told, judged true", f"{true} of {self.causes}"))
        if not self.unearned:
            rows.append(("without knowledge", "0 points"))
        for what, points, where, most in self.unearned:
            said = f"{in_digits(points)} points{f' in {where}' if where else ''}"
            said += f"; at most {in_digits(most)} are fine" if most else ""
            rows.append((f"without knowledge: {what}", said))
        return rows

    def markdown(self) -> str:
        """Return everything as Markdown."""
        table = ["| | |", "|---|---|", *(f"| {a} | {b} |" for a, b in self.figures())]
        about = f"<!-- {self.assignment} {self.digest} -->\n## {self.assignment}"
        parts = [about, "\n".join(table)]
        for title, rows in self.lists():
            parts += [f"### {title}", "\n".join(["```", *rows, "```"])]
        return "\n\n".join(parts) + "\n"

    def lists(self) -> list[tuple[str, Sequence[str]]]:
        """Return title and rows of each list that has some."""
        same = "Perhaps equivalent: no input was found that tells them from the solution"
        long = "Only your solutions were graded in these, because a cell that they need takes long"
        every: dict[str, Sequence[str]] = {
            "To mend": self.findings,
            "Mutants that no test catches": _shown(self.survivors),
            "Wrong answers that keep all points": self.missed,
            "Wrong answers that lose points in other cells too": [*map(str, self.elsewhere)],
            "Right answers that lose points": [*map(str, self.right_lost)],
            "Other forms that lose points: is that deserved?": [*map(str, self.forms_lost)],
            "Likely causes that nobody has judged": self.not_judged,
            same: _shown(self.perhaps_equivalent),
            "Habits": self.habits,
            long: self.left_out,
        }
        return [(title, rows) for title, rows in every.items() if rows]


_HEAD = """# How right the tests are

`hw-grading try` wrote this page. The grader itself graded every answer, as a submission: the
instructor's solutions with several draws of fresh cases, mutants of each solution, the solutions in
other forms, answers without knowledge, and answers that are kept with the homework.

- A **mutant** is a solution with one node of its syntax tree changed. It is caught if any test
  takes points from it. If none does, inputs are searched that tell it from the solution. If none is
  found either, it is perhaps as right as the solution: it counts as not caught, and is listed.
- A **wrong answer** is caught if any test takes points. It should cost points in the test of its
  own function only. The rest of the submission is the instructor's, and may not fit it: then the
  test of another function loses points too.
- The shares are those of kinds of mistakes, not of students: of answers that are alike, one or two
  are kept.

"""


def write_page(path: Path, tried: Sequence[Tried]) -> None:
    """Write a page about homeworks: HTML if its name ends in .html, else Markdown."""
    if path.suffix in (".html", ".htm"):
        page = templates_in(Path(__file__).parent).get_template("page.html.j2")
        text = page.render(
            tried=tried, title=f"Tests of {', '.join(one.assignment for one in tried)}"
        )
    else:
        text = _HEAD + "\n".join(one.markdown() for one in tried)
    write_whole(path, text.encode())
