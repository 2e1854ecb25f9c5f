"""What you should know about your notebook before you hand it in."""

import ast
import builtins
import contextlib
import functools
import itertools
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

from nbformat import NotebookNode

from hw_support.desk.certification import BLANK, certification_of
from hw_support.desk.running import CellRun, Ran, error_in_words, errors_of
from hw_support.failures import one_line
from hw_support.source import bound_by, parsed
from hw_support.submission.cells import InstructorCell, grade_id_of
from hw_support.submission.own_cells import continues
from hw_support.submission.problems import quoted
from hw_support.submission.released import Release

STUB = "raise NotImplementedError()"
_SAID_ELSEWHERE = ("NameError", "NotImplementedError", "FileNotFoundError", "ModuleNotFoundError")
_NO_FILE = ("FileNotFoundError", "OSError")
_NEAR = 0.5  # share of a time limit
_MOST_NAMES = 5  # in one sentence
_NO_NAME = re.compile(r"name '(\w+)' is not defined")

_distributions = functools.cache(packages_distributions)  # takes half a second


@dataclass(frozen=True)
class Checked:
    """One of the instructor's cells, and what the student did with it."""

    released: InstructorCell
    cell: NotebookNode | None  # in the student's notebook; None if it was deleted
    run: CellRun  # an empty one if it was not run
    to_do: str | None  # what is missing, in a few words


def checked_cells(ran: Ran, release: Release) -> list[Checked]:
    """Return all of the instructor's cells in the released order."""
    cells = {grade_id_of(cell): cell for cell in ran.notebook.cells}
    drawn = {name for cell in ran.notebook.cells if (name := continues(cell)) and _has_plot(cell)}
    runs = {grade_id_of(ran.notebook.cells[place]): run for place, run in ran.cells.items()}
    found = []
    for place, released in enumerate(release.cells):
        cell, run = cells.get(released.grade_id), runs.get(released.grade_id)
        plotted = released.grade_id in drawn or run is None
        to_do = _to_do(released, cell, release, plotted=plotted)
        if to_do and not released.grade:
            below = itertools.takewhile(lambda c: not c.solution, release.cells[place + 1 :])
            tests = [runs.get(test.grade_id) for test in below if test.points]
            if tests and all(t and t.parts and all(p.passed for p in t.parts) for t in tests):
                to_do = None  # the function is in another cell, or the stub's line is never reached
        found.append(Checked(released, cell, run or CellRun(), to_do))
    return found


def _to_do(
    released: InstructorCell, cell: NotebookNode | None, release: Release, *, plotted: bool
) -> str | None:
    if not released.solution:
        return None
    name = released.grade_id
    if cell is None:
        return f"{name} was deleted"
    if name == release.certification:
        asked = certification_of(released.source)
        empty = asked.empty(cell.source)
        if not asked.asked:  # it has no labels
            empty = [name] if BLANK in cell.source or not cell.source.strip() else []
        every = len(empty) >= len(asked.asked)
        return None if not empty else "fill it in" if every else f"fill in: {', '.join(empty)}"
    if cell.cell_type == "markdown":
        if not cell.source.replace(BLANK, "").strip() and not cell.get("attachments"):
            return f"write {name}"
        return f"delete `{BLANK}` in {name}" if BLANK in cell.source else None
    if released.is_unchanged(cell.source) or not cell.source.strip():
        return f"answer {name}"
    if STUB in cell.source:
        return f"delete `{STUB}` in {name}"
    if released.grade and not plotted and not _has_plot(cell):
        return f"no plot in {name}"
    return None


def _has_plot(cell: NotebookNode) -> bool:
    kinds = (kind for output in cell.get("outputs", []) for kind in output.get("data", {}))
    return any(kind.startswith("image/") for kind in kinds)


def surprises(saved: NotebookNode, ran: Ran, release: Release, folder: Path) -> Iterator[str]:
    """Yield a sentence for each thing that will be different in grading.

    `saved` is the notebook with its saved outputs, `folder` that of the student's file.
    """
    if ran.stopped:
        where = name_of(ran.notebook.cells[max(ran.cells, default=0)])
        yield f"{ran.stopped} in {_within(where)}. The cells below it were not run."
    yield from _missing_names(ran.notebook, release)
    yield from _own_errors(ran.notebook, release)
    yield from _rebound(ran)
    yield from _other_results(saved, ran)
    yield from _files(ran, folder)
    yield from _imports(ran.notebook, release, folder)
    yield from _slow(ran, release)
    yield from _long_outputs(ran, release)


def _missing_names(notebook: NotebookNode, release: Release) -> Iterator[str]:
    # The names that the instructor's cells need are reported as missing at those cells.
    looked_for = {
        name for cell in release.cells if cell.locked for name in re.findall(r"\w+", cell.source)
    }
    code = {i: cell for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"}
    defined = {i: bound_by(cell.source) for i, cell in code.items()}
    for i, cell in enumerate(notebook.cells):
        if _is_given(cell, release):
            continue  # a released cell that uses a name which the student has changed
        for name in sorted({n for e in errors_of(cell) for n in _NO_NAME.findall(str(e.evalue))}):
            if hasattr(builtins, name) or name in looked_for:
                continue
            places = [j for j, names in defined.items() if name in names]
            if later := [j for j in places if j > i]:
                below = _within(name_of(notebook.cells[later[0]]))
                yield (
                    f"{name_of(cell)} uses `{name}`, which is defined further down ({below}). "
                    "The grader runs the cells from top to bottom: move the definition up."
                )
            elif not places:
                yield (
                    f"{name_of(cell)} uses `{name}`, which no cell defines. If the cell works "
                    "for you, you probably deleted or changed the definition while the kernel was "
                    "running: write it again."
                )


def _within(name: str) -> str:
    """Return a cell's name as it is written within a sentence."""
    return name[0].lower() + name[1:]


def _is_given(cell: NotebookNode, release: Release) -> bool:
    given = {" ".join(source.split()) for source in release.plain}
    return grade_id_of(cell) is None and " ".join(cell.source.split()) in given


def _own_errors(notebook: NotebookNode, release: Release) -> Iterator[str]:
    """Name the student's added cells that fail; tests report on the other cells."""
    for cell in notebook.cells:
        if grade_id_of(cell) is not None or _is_given(cell, release):
            continue
        for error in errors_of(cell):
            if error.ename not in _SAID_ELSEWHERE:
                said = one_line(error_in_words(error), 160).rstrip(".")
                yield (
                    f"{name_of(cell)} raises {said}. When JupyterLab runs all cells, it stops at "
                    "this cell; the grader continues."
                )


def _rebound(ran: Ran) -> Iterator[str]:
    """Name tests that read a name of the instructor's to which the notebook gives another value.

    They may pass here only. A name of Python's, such as `max`, is named where the test fails.
    """
    for i, run in ran.cells.items():
        failed = run.raised or not all(part.passed for part in run.parts)
        if names := run.rebound + (run.shadowed if failed else []):
            listed = ", ".join(f"`{name}`" for name in names[:_MOST_NAMES])
            yield (
                f"{grade_id_of(ran.notebook.cells[i])} uses {listed}, to which your notebook gives "
                "another value. The graded test uses its own. Use other names for yours, and run "
                "this command again."
            )


def _other_results(saved: NotebookNode, ran: Ran) -> Iterator[str]:
    before = {grade_id_of(cell): cell for cell in saved.cells}
    for i, run in ran.cells.items():
        name = grade_id_of(ran.notebook.cells[i])
        failed = [part.what for part in run.parts if not part.passed]
        if name and failed and not run.rebound and _passed_when_saved(before.get(name)):
            yield (
                f"{name} passed when you saved the notebook, but fails when all cells run from "
                f"top to bottom ({quoted(failed[0])} fails). You may have run cells in another "
                "order, or changed one later. Choose Kernel → Restart Kernel and Run All Cells… "
                "to see the failure."
            )


def _passed_when_saved(cell: NotebookNode | None) -> bool:
    if cell is None or errors_of(cell):
        return False
    printed = "\n".join(output.get("text", "") for output in cell.get("outputs", []))
    return "passed  " in printed and "FAILED  " not in printed


def _files(ran: Ran, folder: Path) -> Iterator[str]:
    beside = [path.name for path in folder.iterdir() if path.is_file()]
    said = set()
    for i, run in ran.cells.items():
        cell = ran.notebook.cells[i]
        errors = [error.evalue for error in errors_of(cell) if error.ename in _NO_FILE]
        missing = [name for name in beside if any(name in text for text in errors)]
        for name in [*run.opened, *missing]:
            path = folder / os.path.expanduser(name)
            if name in said or not os.path.exists(path) or not _is_own(path, folder):
                continue
            said.add(name)
            yield (
                f"{name_of(cell)} reads the file {quoted(name)}, which the grader does not have: "
                "you submit only the notebook. Compute the file's content in a cell, or write "
                "it into one."
            )


def _is_own(path: Path, folder: Path) -> bool:
    """Whether a file is the student's and not part of a program."""
    path, home = Path(os.path.abspath(path)), Path.home()
    for place in (folder.resolve(), home):
        if path.is_relative_to(place):
            inner = path.relative_to(place).parts
            return not any(p.startswith(".") or p in ("site-packages", "AppData") for p in inner)
    return False


def _imports(notebook: NotebookNode, release: Release, folder: Path) -> Iterator[str]:
    installed = _distributions()  # by the names of their modules
    for cell in notebook.cells:
        for name in sorted(_imported_in(cell)):
            if (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists():
                yield (
                    f"{name_of(cell)} imports {name}, a file or folder beside your notebook. The "
                    "grader does not have it: you submit only the notebook. Copy the code that "
                    "you need into a cell."
                )
                continue
            if name in sys.stdlib_module_names or name in ("hw_support", "__main__"):
                continue
            names = {re.sub(r"[-_.]+", "-", each).lower() for each in installed.get(name, ())}
            if not names & release.packages:
                yield f"{name_of(cell)} imports {name}, which the grader does not have."


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


def _slow(ran: Ran, release: Release) -> Iterator[str]:
    for i, run in ran.cells.items():
        cell = ran.notebook.cells[i]
        limit = limit_of(cell, release)
        if run.cpu_seconds > _NEAR * limit:
            yield (
                f"{name_of(cell)} took {run.cpu_seconds:.0f} s of CPU time here. The grader "
                f"stops it after {limit:.0f} s, and its machine may be slower. Make the cell "
                "faster."
            )
    total = sum(run.cpu_seconds for run in ran.cells.values())
    if total > _NEAR * release.cpu_seconds_per_submission:
        yield (
            f"All cells together took {total:.0f} s of CPU time here. The grader stops after "
            f"{release.cpu_seconds_per_submission:.0f} s. Make the notebook faster."
        )


def _long_outputs(ran: Ran, release: Release) -> Iterator[str]:
    limit = release.output_bytes_per_cell
    for cell in (ran.notebook.cells[i] for i in ran.cells):
        written = json.dumps(cell.get("outputs", []), ensure_ascii=False)
        size = len(written.encode(errors="replace"))
        if size > limit:
            yield (
                f"{name_of(cell)} has {size / 1e6:.1f} MB of output. The grader keeps "
                f"{limit / 1e6:g} MB of it and drops the rest, plots too. Print less, or draw "
                "smaller pictures."
            )


def limit_of(cell: NotebookNode, release: Release) -> float:
    """Return the grader's limit on a cell's CPU seconds."""
    return release.cpu_seconds_for_cell.get(grade_id_of(cell) or "", release.cpu_seconds_per_cell)


def name_of(cell: NotebookNode) -> str:
    """Return a cell's name for messages to the student."""
    if grade_id := grade_id_of(cell):
        return f"Cell {grade_id}"
    return f"The cell that begins with {quoted(cell.source.strip().partition(chr(10))[0], 40)}"
