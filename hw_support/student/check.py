"""Runs your notebook as the grader would, and lists what to do before you submit it."""

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

from hw_support import figures
from hw_support.checks.failures import one_line
from hw_support.checks.parts import COUNTS_ONLY
from hw_support.source import bound_by, imported_by, read_by
from hw_support.student.certification import BLANK, missing_in
from hw_support.student.opening import Opened, name_of
from hw_support.student.running import CellRun, Ran, run_copy
from hw_support.submission.cells import InstructorCell, continues, grade_id_of
from hw_support.submission.problems import Kind
from hw_support.submission.released import Release

STUB = "raise NotImplementedError()"
# Not every program refuses to edit such a cell: VS Code does not.
_PUT_BACK = " Before grading it is put back too. Write your own code into cells of your own."
_WIDTH = 92
_PART, _TO_DO = 40, 28  # columns of the table

_distributions = functools.cache(packages_distributions)  # takes half a second


@dataclass(frozen=True)
class Checked:
    """One of the instructor's cells, and what the student did with it."""

    released: InstructorCell
    cell: NotebookNode | None  # in the student's notebook; None if it was deleted
    run: CellRun  # an empty one if it was not run
    to_do: str  # what is missing, in a few words; "" if nothing is


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
    """Run a copy of a notebook from the top and check everything; may raise `UserError`."""
    ran, release = run_copy(opened), opened.release
    checked = _checked_cells(ran, release)
    notes = [f"{cell.released.grade_id}: {note}" for cell in checked for note in cell.run.notes]
    findings = {
        "Failed tests and errors": [*_failures(checked), *_own_errors(ran, release)],
        "Notes from the tests (no points lost)": notes,
        "Plots, as far as a program can see them (people grade them)": [*_plots(ran, release)],
        "What will be different in grading": [
            *_of_the_run(opened, ran),
            *_rebound(ran.notebook, release),
            *_of_cells(ran, release),
        ],
        "Cells that differ from the homework that you were given": [
            f"{change.message}{_PUT_BACK if change.kind == Kind.EDITED_CELL else ''}"
            for change in opened.changes
        ],
    }
    return Report(opened, checked, findings)


# --- What is missing in the answers.


def _checked_cells(ran: Ran, release: Release) -> list[Checked]:
    """Return all of the instructor's cells in the released order."""
    cells = {grade_id_of(cell): cell for cell in ran.notebook.cells}
    drawn = {continues(cell) or grade_id_of(cell) for cell in ran.notebook.cells if _plots_in(cell)}
    runs = {grade_id_of(ran.notebook.cells[place]): run for place, run in ran.cells.items()}
    found = []
    for place, released in enumerate(release.cells):
        name, run = released.grade_id, runs.get(released.grade_id)
        to_do = ""
        if released.solution and not release.is_optional(released):
            to_do = _to_do(released, cells.get(name), release)
            is_plot = released.is_for_a_person and released.cell_type == "code"
            if not to_do and is_plot and run and name not in drawn:
                to_do = f"no plot in {name}"
        if to_do and not released.grade:
            below = itertools.takewhile(lambda c: not c.solution, release.cells[place + 1 :])
            tests = [runs.get(test.grade_id) for test in below if test.points]
            if tests and all(t and t.parts and all(p.passed for p in t.parts) for t in tests):
                to_do = ""  # the function is in another cell, or the stub's line is never reached
        found.append(Checked(released, cells.get(name), run or CellRun(), to_do))
    return found


def _to_do(released: InstructorCell, cell: NotebookNode | None, release: Release) -> str:
    name = released.grade_id
    if cell is None:
        return f"{name} was deleted"
    if name == release.certification:
        return missing_in(cell.source, released.source)
    if cell.cell_type == "markdown":
        if not cell.source.replace(BLANK, "").strip() and not cell.get("attachments"):
            return f"write {name}"
        return f"delete `{BLANK}` in {name}" if BLANK in cell.source else ""
    if released.is_unchanged(cell.source) or not cell.source.strip():
        return f"answer {name}"
    return f"delete `{STUB}` in {name}" if STUB in cell.source else ""


def _plots_in(cell: NotebookNode) -> bool:
    kinds = (kind for output in cell.get("outputs", []) for kind in output.get("data", {}))
    return any(kind.startswith("image/") for kind in kinds)


def _plots(ran: Ran, release: Release) -> Iterator[str]:
    """Say of each plot from which something is expected what is missing, and what it shows."""
    for name, conditions in release.plots.items():
        cells = [c for c in ran.notebook.cells if name in (grade_id_of(c), continues(c))]
        found = figures.facts_in(output for cell in cells for output in cell.get("outputs", ()))
        if found and (wrong := figures.failing(found, conditions)):
            yield f"{name}: {', '.join(wrong)}. It shows: {'; '.join(figures.summaries(found))}"


# --- Failed tests and errors.


def _failures(checked: list[Checked]) -> Iterator[str]:
    """Name the failed parts and the errors of the instructor's cells, but not what waits."""
    unanswered = {
        each.released.grade_id
        for each in checked
        if each.released.solution
        and (each.cell is None or each.released.is_unchanged(each.cell.source))
    }
    for cell in checked:
        name, failed, message = cell.released.grade_id, dict[str, list[str]](), ""
        if name.removeprefix("test_") in unanswered:
            continue
        for part in (part for part in cell.run.parts if not part.passed):
            if part.message != COUNTS_ONLY:  # such a part fails with those that it needs
                message = part.message
            failed.setdefault(message, []).append(part.what)
        for message, parts in failed.items():
            more = f" (and {len(parts) - 1} more)" if len(parts) > 1 else ""
            yield f"{name}, {parts[0]}{more}: {message}"
        for error in cell.run.errors:
            points = ", so it earns no points" if cell.released.is_test else ""
            yield f"{name} raises {error}{points}"


def _own_errors(ran: Ran, release: Release) -> Iterator[str]:
    """Name the errors of cells that the student added."""
    for place, run in ran.cells.items():
        cell = ran.notebook.cells[place]
        if grade_id_of(cell) or release.gave(cell):
            continue  # a given cell may wait for an answer, which is reported
        for error in run.errors:
            if not error.startswith("NotImplementedError"):
                yield (
                    f"{name_of(cell)} raises {one_line(error, 160).rstrip('.')}. The grader runs "
                    "the cells from top to bottom, without the other files of your folder."
                )


# --- What will be different in grading.


def _of_the_run(opened: Opened, ran: Ran) -> Iterator[str]:
    if opened.path.name != opened.release.file_name:
        yield (
            f"This file is called {opened.path.name}. Submit it as {opened.release.file_name}: "
            "under another name it may not be found."
        )
    if ran.stopped:
        where = name_of(ran.notebook.cells[max(ran.cells, default=0)])
        yield f"{ran.stopped} in {where[0].lower()}{where[1:]}. The cells below it were not run."


def _rebound(notebook: NotebookNode, release: Release) -> Iterator[str]:
    """Name tests that read a name of the instructor's to which the notebook gives another value.

    They may pass here only: in grading, tests have their own.
    """
    stubs = {cell.grade_id: set(bound_by(cell.source)) for cell in release.cells}
    given: dict[str, str] = {}  # what is imported under a name; "" if it is bound otherwise
    by_student: dict[str, NotebookNode] = {}
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        name, imports = grade_id_of(cell), imported_by(cell.source)
        bound = {each: imports.get(each, "") for each in bound_by(cell.source)}
        if name and release.cell(name).locked:
            for read in sorted({*read_by(cell.source)} & by_student.keys()):
                yield (
                    f"{name} uses `{read}`, to which your notebook gives another value "
                    f"({name_of(by_student.pop(read))}). The graded test uses its own. Use "
                    "another name for yours."
                )
            given |= bound
            by_student = {n: c for n, c in by_student.items() if n not in bound}
        else:
            for own in bound.keys() & given.keys() - stubs.get(name or "", set()):
                if not bound[own] or bound[own] != given[own]:
                    by_student[own] = cell


def _of_cells(ran: Ran, release: Release) -> Iterator[str]:
    """Name packages that the grader lacks, and cells near its limits on time or on output."""
    installed = _distributions()  # by the names of their modules
    given = (file.partition("/")[0].removesuffix(".py") for file in release.files)
    known = {*sys.stdlib_module_names, "hw_support", *given}
    for place, run in ran.cells.items():
        cell = ran.notebook.cells[place]
        imported = {each.partition(".")[0] for each in imported_by(cell.source).values()}
        for name in sorted(imported - known):
            names = {re.sub(r"[-_.]+", "-", each).lower() for each in installed.get(name, ())}
            if not names & release.packages:
                yield (
                    f"{name_of(cell)} imports {name}, which the grader does not have. It has "
                    f"{', '.join(sorted(release.packages))}. Write the answer without {name}; "
                    "functions of a file of your own belong into a cell."
                )
        limit = release.cpu_seconds_for(cell)
        if run.seconds > limit and release.gave(cell):
            yield (
                f"{name_of(cell)} took {run.seconds:.0f} s here, and the grader stops it after "
                f"{limit:.0f} s of CPU time. A function of yours that it calls is slow, or does "
                "not return. Look for a loop that does not end."
            )
        elif run.seconds > limit:
            yield (
                f"{name_of(cell)} took {run.seconds:.0f} s here. The grader stops it after "
                f"{limit:.0f} s of CPU time, and its machine may be slower. Make the cell faster."
            )
        written = json.dumps(cell.outputs, ensure_ascii=False)
        size, most = len(written.encode(errors="replace")), release.output_bytes_per_cell
        if size > most:
            yield (
                f"{name_of(cell)} has {size / 1e6:.1f} MB of output. The grader keeps "
                f"{most / 1e6:g} MB of it and drops the rest, plots too. Print less, or draw "
                "smaller pictures."
            )


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


def next_step(report: Report) -> str:
    """Return what to do after a check, as a sentence."""
    submit = f"submit {report.opened.release.file_name}"
    if report.fine:
        return f"Next: {submit}."
    return f"Next: do what is listed above, save, and check again. Then {submit}."


def _wrapped(text: str, first: str = "") -> list[str]:
    indents = {"initial_indent": first, "subsequent_indent": " " * len(first)}
    whole = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.wrap(text, _WIDTH, **indents, **whole)  # type: ignore[arg-type]


def _table(report: Report) -> Iterator[str]:
    row = f"{{:<{_PART}}}  {{:>10}}  {{:>6}}  {{}}".format
    yield row("part", "tests give", "in all", "to do")
    yield row("-" * _PART, "-" * 10, "-" * 6, "-" * _TO_DO)
    by_part: dict[str, list[Checked]] = {}
    for cell in report.checked:
        by_part.setdefault(report.opened.release.parts[cell.released.grade_id], []).append(cell)
    for part, cells in by_part.items():
        to_do = ", ".join(cell.to_do for cell in cells if cell.to_do)
        total = sum(cell.released.points or 0 for cell in cells)
        if total or to_do:
            name = textwrap.shorten(part.partition(" (")[0], _PART, placeholder=" …")
            earned, tried = _points(cells)
            points = f"{earned:g} of {tried:g}" if tried else "-"
            lines = textwrap.wrap(to_do, _TO_DO, break_long_words=False) or [""]
            yield row(name, points, f"{total:g}", lines[0]).rstrip()
            yield from (row("", "", "", line) for line in lines[1:])


def _points(cells: Iterable[Checked]) -> tuple[float, float]:
    """Return the points of the parts that passed, and of all parts."""
    runs = [cell.run for cell in cells]
    passed = [part for run in runs if not run.errors for part in run.parts if part.passed]
    return sum(p.points for p in passed), sum(p.points for run in runs for p in run.parts)


def _last_word(report: Report) -> str:
    earned, tried = _points(report.checked)
    released = [(cell.released, cell.released.points or 0) for cell in report.checked]
    by_people = sum(points for cell, points in released if cell.is_for_a_person)
    not_run = sum(points for cell, points in released if cell.is_test) - tried
    begin = "This command found nothing left to do. " if report.fine else ""
    more = f"Tests that reported nothing here give {not_run:g} more. " if not_run > 0 else ""
    return (
        f"{begin}You have {earned:g} of the {tried:g} points of the tests. {more}Grading "
        f"runs the same tests with further inputs of the same kinds. People grade plots and "
        f"written answers, for up to {by_people:g} points."
    )
