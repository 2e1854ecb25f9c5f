"""Write the page of pairs with their matching lines, and the table beside it.

All text by students is escaped. The Content-Security-Policy allows no scripts and no addresses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup

from hw_grading.pages.templates import templates_in
from hw_grading.records.graded_notebook import plain
from hw_grading.records.results import Roster
from hw_grading.records.writing import csv_of, write_together
from hw_grading.similarity.comparing import LEAST, Compared, Pair, compare_class
from hw_grading.similarity.own import Kind, Piece
from hw_grading.similarity.pairs import WIDEST_SHARE
from hw_grading.similarity.prints import RUN

COLUMNS = (
    *("student", "other_student", "in_common", "code", "text"),
    *("share_of_student", "share_of_other", "cells"),
)
MARK = 'name="generator" content="hw_grading similarity"'
_AROUND = 1  # lines shown before and after matching lines
_MOST_LINES = 80  # of a cell
_LONGEST_LINE = 1_500  # a written answer may be one long line


@dataclass(frozen=True)
class Line:
    """A line of a cell on the page; `gap` marks left-out lines."""

    number: int
    text: str
    matches: bool = False
    given: bool = False
    gap: bool = False


def write_similarity(course: Path, assignment: str, out: Path, most: int) -> Compared:
    """Compare a class, and write the page with `most` pairs, and the table beside it.

    `RuntimeError` if one of the files exists and this program did not write it; otherwise the
    errors of `hw_grading.similarity.comparing.compare_class`.
    """
    compared = compare_class(course, assignment, most)
    table = table_of(out)
    files = {out: page_of(compared, most, table.name), table: table_text(compared)}
    write_together(files, {out: MARK, table: ",".join(COLUMNS)})
    return compared


def table_of(out: Path) -> Path:
    """Return the table's path, given the page's."""
    return out.with_name(f"{out.stem}.csv")


def table_text(compared: Compared) -> str:
    """Return the table of pairs."""
    rows = (
        (
            pair.first,
            pair.second,
            round(pair.amount, 1),
            *(round(pair.amounts[kind], 1) for kind in Kind),
            round(pair.share_of_first, 3),
            round(pair.share_of_second, 3),
            " ".join(dict.fromkeys(m.first.cell or "(added)" for m in pair.matches)),
        )
        for pair in compared.pairs
    )
    return csv_of([COLUMNS, *rows])


def page_of(compared: Compared, most: int, table: str) -> str:
    """Return the page with `most` pairs; `table` is the name of the table's file."""
    templates = templates_in(Path(__file__).parent)
    roster = compared.roster
    return templates.get_template("similarity.html.j2").render(
        assignment=plain(roster.assignment, 200),
        mark=Markup(MARK),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        compared=compared,
        in_part={student for student, _ in compared.partly},
        shown=compared.pairs[:most],
        table=table,
        least=round(LEAST),
        run=RUN[Kind.CODE],
        words=RUN[Kind.TEXT],
        widest=round(100 * WIDEST_SHARE),
        pairs_of_class=compared.compared * (compared.compared - 1) // 2,
        name=lambda text: plain(text, 60),
        why=lambda text: plain(text, 600),
        per_cent=lambda share: f"{100 * share:.0f} %",
        place=lambda piece: _place(roster, piece),
        cells=lambda pair: _cells(roster, pair),
        lines=_lines,
    )


def _place(roster: Roster, piece: Piece) -> str:
    if not piece.cell:
        return f"an added cell, number {piece.number}"
    return plain(str(roster.places[piece.cell]), 120)


def _cells(roster: Roster, pair: Pair) -> str:
    """Return the names of the questions with most in common."""
    names = dict.fromkeys(
        plain(roster.places[match.first.cell].question, 20) if match.first.cell else "added"
        for match in pair.matches
    )
    return ", ".join(list(names)[:4]) + (", …" if len(names) > 4 else "")


def _lines(piece: Piece, matching: frozenset[int]) -> Iterator[Line]:
    """Yield matching lines and the lines around them, up to the page's limits."""
    of_own = {n for n in matching if piece.own[n]}
    wanted = sorted({k for n in of_own for k in range(n - _AROUND, n + _AROUND + 1)})
    wanted = [n for n in wanted if 0 <= n < len(piece.lines)]
    before = -1
    for n in wanted[:_MOST_LINES]:
        if n != before + 1:
            yield Line(n, "", gap=True)
        text = piece.lines[n].expandtabs(4)
        text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
        text = text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"
        yield Line(n + 1, text, matches=n in of_own, given=not piece.own[n])
        before = n
    if before + 1 < len(piece.lines):
        yield Line(before + 2, "", gap=True)
