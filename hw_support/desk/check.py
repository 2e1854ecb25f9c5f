"""Runs your notebook as the grader would, and lists what to do before you submit it."""

import ast
import contextlib
import copy
import functools
import itertools
import json
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions

from nbformat import NotebookNode
from tqdm import tqdm

from hw_support.checks import COUNTS_ONLY
from hw_support.desk.certification import BLANK, asked_in, empty_in
from hw_support.desk.opening import Opened
from hw_support.desk.running import (
    CellRun,
    Ran,
    error_in_words,
    errors_of,
    run_from_the_top,
)
from hw_support.failures import one_line
from hw_support.source import bound_by, parsed, read_by
from hw_support.submission.cells import InstructorCell, continues, grade_id_of
from hw_support.submission.problems import quoted
from hw_support.submission.released import Release

STUB = "raise NotImplementedError()"
_WIDTH = 92
_PART, _TO_DO = 34, 28  # columns of the table
_TIMES_ON_THE_CLOCK = 3.0  # times the grader's CPU limit, because a laptop runs other programs too

_distributions = functools.cache(packages_distributions)  # takes half a second


@dataclass(frozen=True)
class Checked:
    """One of the instructor's cells, and what the student did with it."""

    released: InstructorCell
    cell: NotebookNode | None  # in the student's notebook; None if it was deleted
    run: CellRun  # an empty one if it was not run
    to_do: str | None  # what is missing, in a few words; None for an optional answer too

    @property
    def is_unanswered(self) -> bool:
        """Whether it is an answer as the student got it, or deleted."""
        as_given = self.cell is None or self.released.is_unchanged(self.cell.source)
        return self.released.solution and as_given


@dataclass(frozen=True)
class Report:
    """What a check found."""

    opened: Opened
    checked: list[Checked]
    findings: dict[str, list[str]]  # sentences, by the heading above them

    @property
    def fine(self) -> bool:
        """Whether the check found nothing left to do."""
        return not any(self.findings.values()) and not any(cell.to_do for cell in self.checked)


def check(opened: Opened) -> Report:
    """Run a copy of a notebook from the top and check everything; may raise `DeskError`."""
    ran, release = run_copy(opened), opened.release
    checked = _checked_cells(ran, release)
    notes = [f"{cell.released.grade_id}: {note}" for cell in checked for note in cell.run.notes]
    findings = {
        "Failed tests and errors": [*_failures(checked), *_own_errors(ran.notebook, release)],
        "Notes from the tests (no points lost)": notes,
        "What will be different in grading": [
            *_of_the_run(opened, ran),
            *_rebound(ran.notebook, release),
            *_of_cells(ran, release),
        ],
        "Cells that differ from the homework that you were given": [
            change.message for change in opened.changes
        ],
    }
    return Report(opened, checked, findings)


def run_copy(opened: Opened, *, like_grader: bool = True) -> Ran:
    """Run a copy of a notebook from the top, with a progress bar; may raise `DeskError`."""
    notebook = copy.deepcopy(opened.notebook)
    code = [i for i, c in enumerate(notebook.cells) if c.cell_type == "code" and c.source.strip()]
    with tqdm(total=len(code), file=sys.stderr, ncols=_WIDTH, leave=False, unit="cell") as bar:

        def began(index: int) -> None:
            bar.n = code.index(index)
            bar.set_description_str(f"{_name_of(notebook.cells[index])[:32]:<32}")

        return run_from_the_top(
            notebook,
            lambda cell: _TIMES_ON_THE_CLOCK * _limit_of(cell, opened.release),
            began,
            like_grader=like_grader,
        )


def unsigned(opened: Opened) -> str:
    """Say what is missing in the certification; "" if nothing is, or if there is none."""
    name = opened.release.certification
    cells = [cell for cell in opened.notebook.cells if grade_id_of(cell) == name]
    if not name or not cells:
        return f"{name} was deleted" if name else ""
    return _missing_in_certification(opened.release.cell(name).source, cells[0].source)


# --- What is missing in the answers.


def _checked_cells(ran: Ran, release: Release) -> list[Checked]:
    """Return all of the instructor's cells in the released order."""
    cells = {grade_id_of(cell): cell for cell in ran.notebook.cells}
    drawn = {continues(cell) or grade_id_of(cell) for cell in ran.notebook.cells if _plots_in(cell)}
    runs = {grade_id_of(ran.notebook.cells[place]): run for place, run in ran.cells.items()}
    found = []
    for place, released in enumerate(release.cells):
        name, run = released.grade_id, runs.get(released.grade_id)
        to_do = None
        if released.solution and not release.is_optional(released):
            to_do = _to_do(released, cells.get(name), release)
            if not to_do and _is_plot(released) and run and name not in drawn:
                to_do = f"no plot in {name}"
        if to_do and not released.grade:
            below = itertools.takewhile(lambda c: not c.solution, release.cells[place + 1 :])
            tests = [runs.get(test.grade_id) for test in below if test.points]
            if tests and all(t and t.parts and all(p.passed for p in t.parts) for t in tests):
                to_do = None  # the function is in another cell, or the stub's line is never reached
        found.append(Checked(released, cells.get(name), run or CellRun(), to_do))
    return found


def _to_do(released: InstructorCell, cell: NotebookNode | None, release: Release) -> str | None:
    name = released.grade_id
    if cell is None:
        return f"{name} was deleted"
    if name == release.certification:
        return _missing_in_certification(released.source, cell.source) or None
    if cell.cell_type == "markdown":
        if not cell.source.replace(BLANK, "").strip() and not cell.get("attachments"):
            return f"write {name}"
        return f"delete `{BLANK}` in {name}" if BLANK in cell.source else None
    if released.is_unchanged(cell.source) or not cell.source.strip():
        return f"answer {name}"
    return f"delete `{STUB}` in {name}" if STUB in cell.source else None


def _missing_in_certification(released: str, written: str) -> str:
    asked = asked_in(released)
    if not asked:  # it has no labels
        return "fill it in" if BLANK in written or not written.strip() else ""
    empty = empty_in(written, released)
    every = len(empty) >= len(asked)
    return "" if not empty else "fill it in" if every else f"fill in: {', '.join(empty)}"


def _is_plot(cell: InstructorCell) -> bool:
    return cell.is_for_a_person and cell.cell_type == "code"


def _plots_in(cell: NotebookNode) -> bool:
    kinds = (kind for output in cell.get("outputs", []) for kind in output.get("data", {}))
    return any(kind.startswith("image/") for kind in kinds)


# --- What will be different in grading.


def _of_the_run(opened: Opened, ran: Ran) -> Iterator[str]:
    if opened.path.name != opened.release.file_name:
        yield (
            f"This file is called {opened.path.name}. Submit it as {opened.release.file_name}: "
            "under another name it may not be found."
        )
    if ran.stopped:
        where = _name_of(ran.notebook.cells[max(ran.cells, default=0)])
        yield f"{ran.stopped} in {where[0].lower()}{where[1:]}. The cells below it were not run."


def _own_errors(notebook: NotebookNode, release: Release) -> Iterator[str]:
    """Name the errors of cells that the student added, or got without a test."""
    bound = [bound_by(cell.source if cell.cell_type == "code" else "") for cell in notebook.cells]
    given = {" ".join(source.split()) for source in release.plain}
    for i, cell in enumerate(notebook.cells):
        is_given = " ".join(cell.source.split()) in given
        for error in errors_of(cell) if grade_id_of(cell) is None else ():
            missing = re.search(r"name '(\w+)' is not defined", error.evalue)
            later = [j for j in range(i, len(bound)) if missing and missing[1] in bound[j]]
            if error.ename == "NotImplementedError" or (is_given and not later):
                continue  # it waits for an answer, which is reported
            said = one_line(error_in_words(error), 160).rstrip(".")
            where = (
                f" {_name_of(notebook.cells[later[0]])} defines it: move that up." if later else ""
            )
            yield (
                f"{_name_of(cell)} raises {said}. The grader runs the cells from top to bottom, in "
                f"an empty folder.{where}"
            )


def _rebound(notebook: NotebookNode, release: Release) -> Iterator[str]:
    """Name tests that read a name of the instructor's to which the notebook gives another value.

    They may pass here only: in grading, tests have their own.
    """
    stubs = {cell.grade_id: set(bound_by(cell.source)) for cell in release.cells}
    given: set[str] = set()
    by_student: dict[str, NotebookNode] = {}
    for cell in notebook.cells:
        name = grade_id_of(cell)
        if cell.cell_type != "code":
            continue
        bound = set(bound_by(cell.source))
        if name and release.cell(name).locked:
            for read in sorted({*read_by(cell.source)} & by_student.keys()):
                yield (
                    f"{name} uses `{read}`, to which your notebook gives another value "
                    f"({_name_of(by_student.pop(read))}). The graded test uses its own. Use "
                    "another name for yours."
                )
            given |= bound
            by_student = {n: c for n, c in by_student.items() if n not in bound}
        else:
            own = bound & given - stubs.get(name or "", set())
            by_student.update(dict.fromkeys(own, cell))


def _of_cells(ran: Ran, release: Release) -> Iterator[str]:
    """Name packages that the grader lacks, and cells near its limits on time or on output."""
    installed = _distributions()  # by the names of their modules
    for place, cell in enumerate(ran.notebook.cells):
        for name in sorted(_imported_in(cell) - {*sys.stdlib_module_names, "hw_support"}):
            names = {re.sub(r"[-_.]+", "-", each).lower() for each in installed.get(name, ())}
            if not names & release.packages:
                yield (
                    f"{_name_of(cell)} imports {name}, which the grader does not have. You submit "
                    "only the notebook: copy the code that you need into a cell."
                )
        limit, seconds = _limit_of(cell, release), ran.cells.get(place, CellRun()).seconds
        if seconds > limit:
            yield (
                f"{_name_of(cell)} took {seconds:.0f} s here. The grader stops it after "
                f"{limit:.0f} s of CPU time, and its machine may be slower. Make the cell faster."
            )
        written = json.dumps(cell.get("outputs", []), ensure_ascii=False)
        size, most = len(written.encode(errors="replace")), release.output_bytes_per_cell
        if size > most:
            yield (
                f"{_name_of(cell)} has {size / 1e6:.1f} MB of output. The grader keeps "
                f"{most / 1e6:g} MB of it and drops the rest, plots too. Print less, or draw "
                "smaller pictures."
            )


def _imported_in(cell: NotebookNode) -> set[str]:
    """Return the modules that a cell imports; none if it is no Python."""
    names: set[str] = set()
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.walk(parsed(cell.source if cell.cell_type == "code" else "")):
            match node:
                case ast.Import(names=aliases):
                    names |= {alias.name.partition(".")[0] for alias in aliases}
                case ast.ImportFrom(module=str(module), level=0):
                    names.add(module.partition(".")[0])
    return names


def _limit_of(cell: NotebookNode, release: Release) -> float:
    """Return the grader's limit on a cell's CPU seconds."""
    return release.cpu_seconds_for_cell.get(grade_id_of(cell) or "", release.cpu_seconds_per_cell)


def _name_of(cell: NotebookNode) -> str:
    """Return a cell's name for messages to the student."""
    if grade_id := grade_id_of(cell):
        return f"Cell {grade_id}"
    return f"The cell that begins with {quoted(cell.source.strip().partition(chr(10))[0], 40)}"


# --- The report in words.


def in_words(report: Report) -> Iterator[str]:
    """Yield a report's lines for people."""
    yield f"{report.opened.path.name}: a copy was run from top to bottom, as the grader runs it"
    yield ""
    yield from _table(report)
    for title, sentences in report.findings.items():
        lines = [line for sentence in sentences for line in _wrapped(sentence, "  - ")]
        yield from ("", title, *lines) if lines else ()
    yield ""
    yield from _wrapped(_last_word(report))


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
        to_do = ", ".join(cell.to_do for cell in cells if cell.to_do)
        total = sum(cell.released.points or 0 for cell in cells)
        if not total and not to_do:
            continue
        name = textwrap.shorten(part.partition(" (")[0], _PART, placeholder=" …")
        passed, tried = _counts(cells)
        tests = f"{passed[0]} of {tried[0]}" if tried[0] else "-"
        points = f"{passed[1]:g} of {tried[1]:g}" if tried[1] else "-"
        lines = textwrap.wrap(to_do, _TO_DO, break_long_words=False) or [""]
        yield row(name, tests, points, f"{total:g}", lines[0]).rstrip()
        yield from (row("", "", "", "", line) for line in lines[1:])


def _counts(cells: Iterable[Checked]) -> tuple[tuple[int, float], tuple[int, float]]:
    """Return the number and points of the parts that passed, and of all parts."""
    runs = [cell.run for cell in cells]
    every = [part for run in runs for part in run.parts]
    good = [part for run in runs if not run.raised for part in run.parts if part.passed]
    return (len(good), sum(p.points for p in good)), (len(every), sum(p.points for p in every))


def _failures(checked: list[Checked]) -> Iterator[str]:
    """Name the failed parts and the errors of the instructor's cells, but not what waits."""
    unanswered = {cell.released.grade_id for cell in checked if cell.is_unanswered}
    for cell in checked:
        name, failed = cell.released.grade_id, dict[str, list[str]]()
        if name.removeprefix("test_") in unanswered:
            continue
        message = ""
        for part in (part for part in cell.run.parts if not part.passed):
            if part.message != COUNTS_ONLY:  # such a part fails with those that it needs
                message = part.message
            failed.setdefault(message, []).append(part.what)
        for message, parts in failed.items():
            more = f" (and {len(parts) - 1} more)" if len(parts) > 1 else ""
            yield f"{name}, {parts[0]}{more}: {message}"
        for error in errors_of(cell.cell or NotebookNode()):
            points = ", so it earns no points" if cell.released.is_test else ""
            yield f"{name} raises {error_in_words(error)}{points}"


def _last_word(report: Report) -> str:
    cells = report.checked
    passed, tried = _counts(cells)
    by_people = sum(c.released.points or 0 for c in cells if c.released.is_for_a_person)
    tests = [cell for cell in cells if cell.released.is_test]
    not_run = sum(cell.released.points or 0 for cell in tests if not cell.run.parts)
    begin = "This command found nothing left to do. " if report.fine else ""
    more = f"Tests that reported nothing here give {not_run:g} more. " if not_run else ""
    return (
        f"{begin}You have {passed[1]:g} of the {tried[1]:g} points of the tests. {more}Grading "
        f"runs the same tests with further inputs of the same kinds. People grade plots and "
        f"written answers, for up to {by_people:g} points."
    )
