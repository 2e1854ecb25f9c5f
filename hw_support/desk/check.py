"""Runs your notebook as the grader would, and lists what to do before you hand it in."""

import contextlib
import copy
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from hw_support.checks import COUNTS_ONLY, NOT_ANSWERED
from hw_support.desk.findings import Checked, checked_cells, limit_of, name_of, surprises
from hw_support.desk.opening import Opened
from hw_support.desk.running import Ran, error_in_words, errors_of, last_function, run_from_the_top

_WIDTH = 92
_PART, _TO_DO = 34, 28  # columns of the table
_A_MOMENT = 1.0  # seconds
_TIMES_ON_THE_CLOCK = 3.0  # times the grader's CPU limit, because a laptop runs other programs too


@dataclass(frozen=True)
class Report:
    """What a check found, in sentences."""

    opened: Opened
    checked: list[Checked]
    surprises: list[str]  # what will be different in grading
    notes: list[str]  # remarks of the instructor's cells; each begins with the cell's name
    seconds_of_cells: float  # wall-clock seconds of all cells together

    @property
    def changes(self) -> list[str]:
        """Return what differs from the released notebook."""
        return [problem.message for problem in self.opened.changes]

    @property
    def fine(self) -> bool:
        """Whether the check found nothing left to do."""
        return not (
            (self.surprises or self.notes or self.changes or self.opened.unsaved)
            or any(part.points and not part.passed for c in self.checked for part in c.run.parts)
            or any(error for cell in self.checked for error in _error_of(cell))
            or self.to_do(self.checked)
        )

    def to_do(self, cells: Iterable[Checked]) -> list[str]:
        """Return what is missing in cells, without the optional ones."""
        is_optional = self.opened.release.is_optional
        return [c.to_do for c in cells if c.to_do and not is_optional(c.released)]


def check(opened: Opened) -> Report:
    """Run a copy of a notebook from the top and check everything; may raise `DeskError`."""
    release = opened.release
    ran = run_copy(opened)
    checked = checked_cells(ran, release)
    folder = Path(os.path.abspath(opened.path)).parent
    return Report(
        opened,
        checked,
        list(surprises(opened.notebook, ran, release, folder)),
        [f"{cell.released.grade_id}: {note}" for cell in checked for note in cell.run.notes],
        sum(run.seconds for run in ran.cells.values()),
    )


def run_copy(opened: Opened, *, like_grader: bool = True) -> Ran:
    """Run a copy of a notebook from the top, with a progress bar; may raise `DeskError`."""
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


def in_words(report: Report) -> Iterator[str]:
    """Yield a report's lines for people."""
    yield f"{report.opened.path.name}: a copy was run from top to bottom, as the grader runs it"
    yield ""
    yield from _table(report)
    if report.opened.unsaved:
        yield from _section("Not saved?", [report.opened.unsaved])
    yield from _section("Failed tests and errors", _failures(report.checked))
    yield from _section("Remarks of tests (they cost no points)", report.notes)
    yield from _section("What will be different in grading", report.surprises)
    yield from _section("Cells that differ from the homework that you were given", report.changes)
    if report.opened.is_restored:
        yield "To restore the instructor's cells in a new file, type:"
        yield f"  python -m hw_support check --repair {_typed(report.opened.path)}"
    yield ""
    yield from _wrapped(_last_word(report))


def _typed(path: Path) -> str:
    """Return a path as one types it in a terminal: with quotes if it has spaces or the like."""
    return str(path) if re.fullmatch(r"[\w./\\:+-]+", str(path)) else f'"{path}"'


def _section(title: str, sentences: Iterable[str]) -> Iterator[str]:
    lines = [line for sentence in sentences for line in _wrapped(sentence, "  - ")]
    if lines:
        yield from ("", title, *lines)


def _wrapped(text: str, first: str = "") -> list[str]:
    indents = {"initial_indent": first, "subsequent_indent": " " * len(first)}
    whole = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.wrap(text, _WIDTH, **indents, **whole)  # type: ignore[arg-type]


def _table(report: Report) -> Iterator[str]:
    row = f"{{:<{_PART}}}  {{:>8}}  {{:>8}}  {{:>6}}  {{}}".format
    yield row("part", "tests", "points", "in all", "to do")
    yield row("-" * _PART, "-" * 8, "-" * 8, "-" * 6, "-" * _TO_DO)
    by_part: dict[str, list[Checked]] = {}
    for cell in report.checked:
        by_part.setdefault(report.opened.release.parts[cell.released.grade_id], []).append(cell)
    for part, cells in by_part.items():
        to_do = _shortened(report.to_do(cells))
        total = sum(cell.released.points or 0 for cell in cells)
        if not total and not to_do:
            continue
        name = textwrap.shorten(part.partition(" (")[0], _PART, placeholder=" …")
        passed, tried = _counts(cells)
        tests = f"{passed[0]} of {tried[0]}" if tried[0] else "-"
        points = f"{passed[1]:g} of {tried[1]:g}" if tried[1] else "-"
        lines = [x for text in to_do for x in textwrap.wrap(text, _TO_DO, break_long_words=False)]
        first, *more = lines or [""]
        yield row(name, tests, points, f"{total:g}", first).rstrip()
        for line in more:
            yield row("", "", "", "", line)
    may_take_long = report.opened.release.cpu_seconds_for_cell  # than others
    took = {c.released.grade_id: c.run.seconds for c in report.checked if c.run.seconds > _A_MOMENT}
    lines = [f"Cell {name} took {took[name]:.0f} s." for name in took if name in may_take_long]
    yield from ("", *lines) if lines else ()


def _shortened(to_do: list[str]) -> list[str]:
    """Join entries with the same verb, so that the table of an empty notebook is short."""
    verbs: dict[str, list[str]] = {}
    for text in to_do:
        verb, _, what = text.partition(" ")
        if verb in ("answer", "write"):
            verbs.setdefault(verb, []).append(what)
        else:
            verbs[text] = []
    return [
        f"{verb} {', '.join(what) if len(what) < 3 else f'{len(what)} cells'}".rstrip()
        for verb, what in verbs.items()
    ]


def _counts(cells: Iterable[Checked]) -> tuple[tuple[int, float], tuple[int, float]]:
    """Return the number and points of the parts that passed, and of all parts."""
    runs = [cell.run for cell in cells]
    every = [part for run in runs for part in run.parts]
    good = [part for run in runs if not run.raised for part in run.parts if part.passed]
    return (len(good), sum(p.points for p in good)), (len(every), sum(p.points for p in every))


def _failures(checked: list[Checked]) -> Iterator[str]:
    unanswered = (c for c in checked if not c.cell or c.released.is_unchanged(c.cell.source))
    stubs = {cell.released.grade_id for cell in unanswered}
    waiting: dict[str, float] = {}  # points that wait for an answer, by its name
    not_run, is_below_test = list[str](), False
    for cell in checked:
        test, raised = cell.released.grade_id, cell.run.raised
        if cell.released.solution:
            not_run = ([] if is_below_test else not_run) + [test] * _is_no_python(cell.cell)
        is_below_test = not cell.released.solution
        if not_run and is_below_test and (cell.run.parts or raised):
            yield f"{test} cannot pass: {' and '.join(not_run)} did not run (see its error above)"
            continue
        answer, message = test.removeprefix("test_"), ""
        failed: dict[str, list[str]] = {}
        for part in (part for part in cell.run.parts if not part.passed):
            if part.message != COUNTS_ONLY:  # such a part fails with those that it needs
                message = part.message
            name, waits, _ = message.partition(f" {NOT_ANSWERED}")
            if waits or answer in stubs:
                name = answer if answer in stubs else name
                waiting[name] = waiting.get(name, 0.0) + part.points
            else:
                failed.setdefault(message, []).append(part.what)
        for message, parts in failed.items():
            more = f" (and {len(parts) - 1} more)" if len(parts) > 1 else ""
            yield f"{test}, {parts[0]}{more}: {message}"
        if raised and (answer in stubs or "NotImplementedError" in raised):
            waiting.setdefault(answer, cell.released.points or 0.0)
        else:
            yield from _error_of(cell)
    for name, points in waiting.items():
        if points:
            yield f"{name} {NOT_ANSWERED}: {points:g} point{'s' * (points != 1)}"


def _is_no_python(cell: NotebookNode | None) -> bool:
    """Whether a cell was not run at all, because Python cannot read it."""
    kinds = ("SyntaxError", "IndentationError", "TabError")
    return any(error.ename in kinds for error in errors_of(cell or NotebookNode()))


def _error_of(cell: Checked) -> Iterator[str]:
    """Yield the error that a cell raised outside the parts of its test."""
    name = cell.released.grade_id
    waits = cell.to_do and not cell.to_do.startswith("no plot")
    if cell.run.raised:
        yield f"{name} raises {cell.run.raised}, so it earns no points"
    elif not waits:
        for error in errors_of(cell.cell or NotebookNode()):
            function = last_function(error) if error.ename == "NotImplementedError" else ""
            waits_for = f"{function} has no answer yet; {name} calls it"
            yield waits_for if function else f"{name} raises {error_in_words(error)}"


def _last_word(report: Report) -> str:
    cells = report.checked
    passed, tried = _counts(cells)
    graded = [cell for cell in cells if cell.released.grade]
    by_people = sum(cell.released.points or 0 for cell in graded if cell.released.solution)
    tests = [cell for cell in graded if not cell.released.solution]
    not_run = sum(cell.released.points or 0 for cell in tests if not cell.run.parts)
    begin = "This command found nothing left to do. " if report.fine else ""
    end = f" Tests that reported nothing here give {not_run:g} more." if not_run else ""
    return (
        f"{begin}You have {passed[1]:g} of the {tried[1]:g} points of the tests. Grading runs the "
        f"same tests with further inputs of the same kinds. People grade plots and written "
        f"answers, for up to {by_people:g} points.{end}"
    )


def write_repaired(opened: Opened) -> Path:
    """Write the notebook with the instructor's cells into a new file beside it; return its path.

    No file is ever overwritten. OSError if it cannot be written.
    """
    text = nbformat.writes(opened.notebook)
    for tail in ("", *(f"-{number}" for number in range(2, 1000))):
        path = opened.path.with_name(f"{opened.path.stem}-repaired{tail}.ipynb")
        with contextlib.suppress(FileExistsError), path.open("x", encoding="utf-8") as stream:
            try:
                stream.write(text)
            except OSError:
                path.unlink(missing_ok=True)
                raise
            return path
    raise FileExistsError(f"too many repaired files are beside {opened.path}")
