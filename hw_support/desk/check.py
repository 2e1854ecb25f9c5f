"""Runs your notebook as the grader would, and lists what to do before you hand it in."""

from __future__ import annotations

import copy
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from nbformat import NotebookNode
from tqdm import tqdm

from hw_support.desk.findings import (
    Checked,
    checked_cells,
    limit_of,
    name_of,
    surprises,
)
from hw_support.desk.opening import Opened
from hw_support.desk.running import Ran, run_from_the_top
from hw_support.submission.released import Release
from hw_support.tally import Part

_WIDTH = 92
_PART, _TO_DO = 34, 28  # columns of the table
_A_MOMENT = 1.0  # seconds
_TIMES_ON_THE_CLOCK = 3.0  # times the grader's CPU limit, because a laptop runs other programs too


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes
    ----------
    checked
        The instructor's cells.
    surprises
        Sentences on what will be different in grading.
    notes
        Remarks of the instructor's cells; each begins with the cell's name.
    changes
        Sentences on cells that differ from the released ones.
    seconds_of_cells
        Wall-clock seconds of all cells together.
    """

    opened: Opened
    checked: list[Checked]
    surprises: list[str]
    notes: list[str]
    changes: list[str]
    seconds_of_cells: float

    @property
    def release(self) -> Release:
        """The homework."""
        return self.opened.release

    @property
    def fine(self) -> bool:
        """Whether the check found nothing left to do."""
        return (
            not (self.surprises or self.notes or self.changes or self.opened.unsaved)
            and all(part.passed or not part.points for part in _parts(self.checked))
            and not any(cell.run and cell.run.raised for cell in self.checked)
            and all(
                cell.to_do is None or self.release.is_optional(cell.released)
                for cell in self.checked
            )
        )


def check(opened: Opened) -> Report:
    """Run a copy of a notebook from the top and check everything.

    Raises
    ------
    DeskError
        It cannot be run.
    """
    release = opened.release
    ran = run_copy(opened)
    checked = checked_cells(ran, release)
    folder = Path(os.path.abspath(opened.path)).parent
    return Report(
        opened,
        checked,
        list(surprises(opened.notebook, ran, release, folder)),
        [
            f"{cell.released.grade_id}: {note}"
            for cell in checked
            for note in (cell.run.notes if cell.run else ())
        ],
        [problem.message for problem in opened.changes],
        sum(run.seconds for run in ran.cells.values()),
    )


def run_copy(opened: Opened, *, like_grader: bool = True) -> Ran:
    """Run a copy of a notebook from the top, with a progress bar.

    Raises
    ------
    DeskError
        It cannot be run.
    """
    notebook = copy.deepcopy(opened.notebook)
    code = [i for i, c in enumerate(notebook.cells) if c.cell_type == "code" and c.source.strip()]
    with tqdm(total=len(code), file=sys.stderr, ncols=_WIDTH, leave=False, unit="cell") as bar:

        def began(index: int) -> None:
            bar.n = code.index(index)
            bar.set_description_str(f"{name_of(notebook.cells[index])[:32]:<32}")

        return run_from_the_top(
            notebook,
            lambda cell: _TIMES_ON_THE_CLOCK * limit_of(cell, opened.release),
            began,
            like_grader=like_grader,
        )


def print_report(report: Report, stream: TextIO) -> None:
    """Print a report for people."""
    for line in _lines(report):
        print(line, file=stream)


def _lines(report: Report) -> Iterator[str]:
    yield f"{report.opened.path.name}: a copy was run from top to bottom, as the grader runs it"
    yield ""
    yield from _table(report)
    if report.opened.unsaved:
        yield from _section("Not saved?", [report.opened.unsaved])
    yield from _section("Messages of failed tests", _failures(report.checked))
    yield from _section("Remarks of tests (they cost no points)", report.notes)
    yield from _section("What will be different in grading", report.surprises)
    advice = "To restore the instructor's cells in a new file, type: " + (
        f"python -m hw_support check --repair {report.opened.path.name}"
    )
    changes = [*report.changes, advice] if report.changes else []
    yield from _section("Cells that differ from the homework that you were given", changes)
    yield ""
    yield from _wrapped(_last_word(report), "")


def _section(title: str, sentences: Iterable[str]) -> Iterator[str]:
    sentences = list(sentences)
    if sentences:
        yield ""
        yield title
        for sentence in sentences:
            yield from _wrapped(sentence, "- ")


def _wrapped(text: str, mark: str) -> list[str]:
    indent = " " * (len(mark) + 2) if mark else ""
    first = f"  {mark}" if mark else ""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(report: Report) -> Iterator[str]:
    row = f"{{:<{_PART}}}  {{:>8}}  {{:>8}}  {{:>6}}  {{}}".format
    yield row("part", "tests", "points", "in all", "to do")
    yield row("-" * _PART, "-" * 8, "-" * 8, "-" * 6, "-" * _TO_DO)
    by_part: dict[str, list[Checked]] = {}
    for cell in report.checked:
        by_part.setdefault(report.release.parts[cell.released.grade_id], []).append(cell)
    for part, cells in by_part.items():
        to_do = _shortened(
            [c.to_do for c in cells if c.to_do and not report.release.is_optional(c.released)]
        )
        total = sum(cell.released.points or 0 for cell in cells)
        if not total and not to_do:
            continue
        name = textwrap.shorten(part.partition(" (")[0], _PART, placeholder=" …")
        passed, tried = _counts(cells)
        tests = f"{passed[0]} of {tried[0]}" if tried[0] else "-"
        points = f"{passed[1]:g} of {tried[1]:g}" if tried[1] else "-"
        lines = [line for text in to_do for line in _in_column(text)] or [""]
        yield row(name, tests, points, f"{total:g}", lines[0]).rstrip()
        for line in lines[1:]:
            yield row("", "", "", "", line)
    long = [cell for cell in report.checked if _took_long(cell, report.release)]
    if long:
        yield ""
    for cell in long:
        seconds = cell.run.seconds if cell.run else 0.0
        yield f"Cell {cell.released.grade_id} took {seconds:.0f} s."


def _took_long(cell: Checked, release: Release) -> bool:
    """Whether a cell with a longer time limit than others took more than a moment."""
    may = cell.released.grade_id in release.cpu_seconds_for_cell
    return may and cell.run is not None and cell.run.seconds > _A_MOMENT


def _in_column(text: str) -> list[str]:
    return textwrap.wrap(text, _TO_DO, break_long_words=False)


def _shortened(to_do: list[str]) -> list[str]:
    """Join entries with the same verb, so that the table of an empty notebook is short."""
    verbs: dict[str, list[str]] = {}
    for text in to_do:
        verb, _, what = text.partition(" ")
        if verb in ("answer", "write"):
            verbs.setdefault(verb, []).append(what)
        else:
            verbs.setdefault(text, [])
    return [
        f"{verb} {', '.join(what)}"
        if len(what) < 3
        else f"{verb} {len(what)} cells"
        if what
        else verb
        for verb, what in verbs.items()
    ]


def _parts(cells: Iterable[Checked]) -> Iterator[Part]:
    for cell in cells:
        yield from cell.run.parts if cell.run else ()


def _counts(cells: Iterable[Checked]) -> tuple[tuple[int, float], tuple[int, float]]:
    """Return the number and points of the parts that passed, and of all parts."""
    good, every = [], []
    for cell in cells:
        parts = cell.run.parts if cell.run else []
        every += parts
        if cell.run and not cell.run.raised:
            good += [part for part in parts if part.passed]
    return (len(good), sum(p.points for p in good)), (len(every), sum(p.points for p in every))


def _failures(checked: list[Checked]) -> Iterator[str]:
    stubs = {cell.released.grade_id for cell in checked if not cell.answered}
    waiting = set()
    for cell in checked:
        test = cell.released.grade_id
        for part in cell.run.parts if cell.run else ():
            if "NotImplementedError" in part.message or test.removeprefix("test_") in stubs:
                waiting.add(test)
            elif not part.passed:
                yield f"{test}, {part.what}: {part.message}"
        raised = cell.run.raised if cell.run else ""
        if "NotImplementedError" in raised or (raised and test.removeprefix("test_") in stubs):
            waiting.add(test)
        else:
            yield from _error_of(cell)
    if waiting:
        tests = "test waits" if len(waiting) == 1 else "tests wait"
        yield f"{len(waiting)} {tests} for answers that you have not written yet."


def _error_of(cell: Checked) -> Iterator[str]:
    """Yield the error that a cell raised outside the parts of its test."""
    name = cell.released.grade_id
    if cell.run and cell.run.raised:
        yield f"{name} raises {cell.run.raised[:300]}, so it earns no points"
        return
    if (cell.run and cell.run.judged) or (cell.to_do and not cell.to_do.startswith("no plot")):
        return
    outputs: list[NotebookNode] = cell.cell.get("outputs", []) if cell.cell is not None else []
    for output in outputs:
        if output.output_type == "error":
            yield f"{name} raises {output.ename}: {output.evalue[:300]}"


def _last_word(report: Report) -> str:
    cells = report.checked
    passed, tried = _counts(cells)
    graded = [cell.released for cell in cells if cell.released.grade]
    total = sum(cell.points or 0 for cell in graded)
    by_people = sum(cell.points or 0 for cell in graded if cell.solution)
    begin = "This command found nothing left to do. " if report.fine else ""
    return (
        f"{begin}You have {passed[1]:g} of the {tried[1]:g} points of the visible tests. People "
        f"who read your plots and answers give {by_people:g} more. Hidden tests, which use other "
        f"inputs, give {total - tried[1] - by_people:g} more: they can fail even if all visible "
        "tests pass."
    )


def write_repaired(opened: Opened) -> Path:
    """Restore the instructor's cells and write the notebook into a new file beside it.

    Returns
    -------
    Path
        The new file. No file is ever overwritten.

    Raises
    ------
    OSError
        It cannot be written.
    """
    import nbformat

    text = nbformat.writes(opened.notebook)
    for number in range(1, 1000):
        tail = "" if number == 1 else f"-{number}"
        path = opened.path.with_name(f"{opened.path.stem}-repaired{tail}.ipynb")
        try:
            with path.open("x", encoding="utf-8") as stream:
                try:
                    stream.write(text)
                except OSError:
                    path.unlink(missing_ok=True)
                    raise
            return path
        except FileExistsError:
            continue
    raise FileExistsError(f"too many repaired files are beside {opened.path}")
