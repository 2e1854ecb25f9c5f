"""Reads and carries out the attacks in `attacks/`: hostile submissions with expected outcomes.

An attack file begins with a docstring, which says what the attack tries, and a header in TOML:

    # /// attack
    # prints = ["begun"]
    # ///

Cells follow. `# %% before` begins a cell of the student's above the answers, `# %% after` one at
the end. `# %% double` begins the source of the cell with this grade id, which may also be a test
cell. A file with variants is one attack in several ways: its cells say VARIANT, and the code of a
variant takes this place. Variants stand in the header, or follow `# %% variant NAME`.

Files in `attacks/preambles/` hold code that several attacks use. It goes above the student's first
cell. Their cells are those of each attack that has none of the same kind.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
from arena import GRADE_IDS, NOTHING, POINTS, RIGHT, Arena, Outcome
from pydantic import BaseModel

from hw_support.submission.problems import Kind

FOLDER = Path(__file__).parent / "attacks"
MAX_MB = 400  # of memory that a process of the grader may add for one submission
EXAMINER_MB = 75  # of memory that an examiner has when it begins
# Ends a cell that only computes, or only waits, within seconds.
SHORT = {"cpu_seconds_per_cell": 1.0, "wall_seconds_per_cell": 3.0, "iopub_timeout": 1}
_HEADER = re.compile(r"^# /// attack\n((?:#.*\n)*?)# ///\n", re.M)
_MARK = re.compile(r"^# %% (.+)\n", re.M)


class Header(BaseModel, extra="forbid"):
    """The keys of a header: first how the attack is graded, then the expected outcome."""

    smoke: bool = False  # `make test` runs it too
    checked_in: str = ""  # the test file that runs it, and checks what a header cannot say
    uses: list[str] = []  # files in `attacks/preambles/`
    answers: Literal["wrong", "right"] = "wrong"  # where the file has none
    variants: list[str] | dict[str, str] = {}
    limits: Literal["short"] | dict[str, int | float] = {}  # instead of the arena's
    looks_for: list[str] = []  # texts for the preamble `looking`, or names in Arena.secret_texts

    # "none", "all", or the points of each test that has some. A list gives several possibilities:
    # all but the last one need a problem as the reason.
    scores: Literal["none", "all"] | dict[str, float] | list[dict[str, float]] = "none"
    problems: set[Kind] | Literal["some"] | None = None  # of exactly these kinds
    problems_among: set[Kind] | None = None  # of no other kinds
    prints: list[str] = []  # texts, of which all are printed
    prints_unless_problems: list[str] = []  # texts that may be missing if there are problems
    never_prints: list[str] = []
    numbers: dict[str, tuple[float, float]] = {}  # the last number behind a word: least and most
    bounded: bool = False  # the grader's processes take little memory, and the file is small


@dataclass(frozen=True)
class Attack:
    """One attack file.

    Attributes
    ----------
    name
        Its path in `attacks/`, without the suffix.
    header
        How the attack is graded, and the expected outcome.
    cells
        Sources by `before`, `after` or grade id.
    variants
        Code by name, in place of VARIANT.
    """

    name: str
    header: Header
    cells: dict[str, str]
    variants: dict[str, str]

    @classmethod
    def read(cls, name: str) -> Attack:
        """Read one file; a key that headers do not have is an error."""
        head, cells, variants = _parts(name)
        comments = _HEADER.findall(head)
        assert len(comments) == 1, f"{name} must have one header"
        try:
            header = Header(**tomllib.loads(re.sub(r"^# ?", "", comments[0], flags=re.M)))
        except ValueError as error:
            error.add_note(f"in the header of {name}")
            raise
        given = header.variants
        variants |= given if isinstance(given, dict) else {code: code for code in given}
        preambles = [_parts(f"preambles/{used}") for used in header.uses]
        for _, shared, _ in preambles:
            cells = shared | cells
        assert cells, f"{name} has no cells"
        assert bool(variants) == ("VARIANT" in str(cells)), f"{name}: variants go with VARIANT"
        before = [head for head, _, _ in preambles]
        cells["before"] = "\n".join([*before, cells.get("before", "")])
        return cls(name, header, cells, variants)

    def submission(self, variant: str = "", **values: Any) -> dict[str, Any]:
        """Return the arguments for `Arena.attack`.

        Parameters
        ----------
        variant
            The name of one of the variants.
        values
            Values of other names in the code, such as the number of a port.
        """
        cells = dict(self.cells)
        if variant:
            cells = {mark: _replaced(code, self.variants[variant]) for mark, code in cells.items()}
        for name, value in values.items():
            filled = {
                mark: re.sub(rf"\b{name}\b", lambda _, v=value: repr(v), code)
                for mark, code in cells.items()
            }
            assert filled != cells, f"no cell of {self.name} has the name {name}"
            cells = filled
        plain = {mark: cells.pop(mark, "") for mark in ("before", "after")}
        answers = {**RIGHT, **cells} if self.header.answers == "right" else cells
        limits = SHORT if self.header.limits == "short" else self.header.limits
        return {"answers": answers, **plain, **limits}


def all_attacks() -> Iterator[Attack]:
    """Read all attacks, in the order of their names."""
    for path in sorted(FOLDER.rglob("*.py")):
        if path.parent.name != "preambles":
            yield Attack.read(path.relative_to(FOLDER).with_suffix("").as_posix())


def _parts(name: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return a file's text above its cells, its cells, and the variants that follow a mark."""
    head, *marked = _MARK.split((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    cells: dict[str, str] = {}
    variants: dict[str, str] = {}
    for mark, code in zip(marked[::2], marked[1::2], strict=True):
        kind, _, variant = mark.partition(" ")
        assert kind in ("before", "after", "variant", *GRADE_IDS), f"{name} has a cell {mark}"
        place, key = (variants, variant) if variant else (cells, kind)
        assert key not in place, f"{name} has {mark} twice"
        place[key] = code.strip("\n")
    return head, cells, variants


def _replaced(code: str, variant: str) -> str:
    """Put a variant into code, with the indentation of its place."""

    def lines(match: re.Match[str]) -> str:
        return textwrap.indent(variant, match[1])

    alone = re.sub(r"^([ \t]*)VARIANT$", lines, code, flags=re.M)
    return re.sub(r"\bVARIANT\b", lambda _: variant, alone)


def carry_out(
    arena: Arena, name: str, variant: str = "", memory: Any = None, **values: Any
) -> Outcome:
    """Grade the submission of an attack, and expect the outcome in its header.

    Parameters
    ----------
    name
        Of the attack.
    variant
        The name of one of its variants, if it has any.
    memory
        The fixture of this name, for attacks whose memory is bounded.
    values
        Values of other names in its code.
    """
    attack = Attack.read(name)
    if attack.header.looks_for:
        groups = arena.secret_texts()
        needles = [text for name in attack.header.looks_for for text in groups.get(name, [name])]
        values["NEEDLES"] = [needle[::-1] for needle in needles]
    outcome = arena.attack(**attack.submission(variant, **values))
    expect(attack.header, outcome)
    if attack.header.bounded:
        memory.end()
        assert memory.grader_mb < MAX_MB, memory
        assert memory.examiner_mb < EXAMINER_MB + MAX_MB, memory
        assert len(nbformat.writes(outcome.nb).encode()) < 1_000_000
        assert sum(len(cell.get("outputs", ())) for cell in outcome.nb.cells) < 350
    return outcome


def expect(header: Header, outcome: Outcome) -> None:
    """Expect the outcome that a header states, except for memory."""
    scores = POINTS if header.scores == "all" else {} if header.scores == "none" else header.scores
    *fewer, most = [NOTHING | some for some in (scores if isinstance(scores, list) else [scores])]
    kinds, problems = outcome.kinds, outcome.problems
    assert outcome.scores == most or (outcome.scores in fewer and problems)
    assert header.problems in (None, kinds, "some" if kinds else None), problems
    assert header.problems_among is None or kinds <= header.problems_among, [
        p.message for p in problems
    ]
    printed = outcome.printed.replace("\\n", "\n").replace("\\'", "'")
    for text in header.prints:
        assert text in printed
    for text in header.prints_unless_problems:
        assert text in printed or problems
    for text in header.never_prints:
        assert text not in printed
    for word, (least, most) in header.numbers.items():
        assert least <= int(re.findall(rf"{word} (\d+)", printed)[-1]) <= most, word
    if header.looks_for:
        assert set(re.findall(r"looked at \d+ found (.*)$", printed, re.M)) == {"[]"}
