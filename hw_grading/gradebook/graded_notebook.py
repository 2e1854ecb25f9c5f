"""Parses a notebook from ``autograded/``: its cells by grade id, and what went wrong in them.

A graded notebook contains what a student wrote and printed. No structure of its JSON is assumed.
"""

import contextlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from hw_grading.gradebook.terminal import without_codes
from hw_support.failures import with_its_line
from hw_support.submission.cells import grade_id_of, text_of
from hw_support.submission.file import Unreadable, read_regular_file
from hw_support.submission.own_cells import continues
from hw_support.submission.problems import plain as plain

FINISHED = "finished"  # metadata key of a notebook whose grading finished
HANDED_IN = "handed_in_sha256"  # metadata key of the graded file's digest; "" if there was no file
MAX_BYTES = 200_000_000
MOST_FAULTS = 50  # per cell
_MOST_PARTS = 200  # per test
_PART = re.compile(r"(passed|FAILED)  (.*) \[([0-9.e+-]{1,20}) pt\] *")


@dataclass(frozen=True)
class Fault:
    """Something that went wrong in a cell: a failed part of a test, or an error (`part` is "")."""

    cell: str
    part: str
    message: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.cell.removeprefix("test_"), self.part, self.message)))


@dataclass(frozen=True)
class PartResult:
    """The result of one part of a test; `message` is "" if it passed.

    A test without parts, or one that did not finish, has one unnamed result for its error.
    """

    name: str
    points: float
    passed: bool
    message: str = ""


def size_and_time(path: Path) -> tuple[int, int] | None:
    """Return the size and time of a file; None if it is missing."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def open_notebook(path: Path) -> Any:
    """Return a notebook's JSON, an object with a list of cells and an object of metadata."""
    return notebook_in(read_regular_file(path, MAX_BYTES))


def notebook_in(content: bytes) -> Any:
    """Return what `open_notebook` does, from a file's content."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not JSON in UTF-8 ({plain(str(error), 80)})") from None
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise Unreadable("it is JSON but not a notebook of version 4")
    if not isinstance(document.get("metadata"), dict):
        document["metadata"] = {}
    return document


def cells_by_id(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the cells by grade id. If several cells have the same id, the last one counts.

    An answer includes the student's own cells that continue it.
    """
    cells: dict[str, dict[str, Any]] = {}
    added: dict[str, list[dict[str, Any]]] = {}
    for cell in document["cells"]:
        if (name := grade_id_of(cell)) is not None:
            cells[name] = cell
        elif continued := continues(cell):
            added.setdefault(continued, []).append(cell)
    for name in cells.keys() & added.keys():
        cells[name] = _joined([cells[name], *added[name]])
    return cells


def _joined(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the first cell with the texts, outputs and attached files of all.

    Several cells may attach files of one name, such as image.png, so names get the cell's number.
    """
    texts: list[str] = []
    files: dict[str, Any] = {}
    for number, cell in enumerate(cells):
        text, attached = text_of(cell.get("source")), cell.get("attachments")
        if isinstance(attached, dict):
            prefix = f"{number}-" if number else ""
            text = text.replace("attachment:", f"attachment:{prefix}")
            files |= {f"{prefix}{name}": file for name, file in attached.items()}
        texts.append(text)
    return {
        **cells[0],
        "source": "\n\n".join(texts),
        "outputs": [output for cell in cells for output in outputs_of(cell)],
        "attachments": files,
    }


def sources_in(path: Path) -> dict[str, str]:
    """Return the text of a notebook's cells by grade id; {} if it is missing or damaged."""
    with contextlib.suppress(OSError, Unreadable):
        cells = cells_by_id(open_notebook(path)).items()
        return {name: text_of(cell.get("source")) for name, cell in cells}
    return {}


def faults_of(name: str, cell: Mapping[str, Any]) -> list[Fault]:
    """Return what went wrong, from the output that `hw_support.Checks` prints in a cell."""
    marks = cell["metadata"]["nbgrader"]
    is_test = marks.get("grade") is True and not marks.get("solution")
    mistakes = (o for o in errors_in(cell) if o.get("ename") != "NotImplementedError")
    faults = [Fault(name, "", error_of(output)) for output in mistakes]
    for line, message in _lines(cell) if is_test else ():
        # Search the whole line: the student's function may print text without a line end.
        _, found, part = line.partition("FAILED  ")
        if found and part.rstrip().endswith(" pt]"):
            faults.append(Fault(name, plain(part, 120), message))
    return faults[:MOST_FAULTS]


def _lines(cell: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each printed line with the message that is below it."""
    streams = (o for o in outputs_of(cell) if o.get("output_type") == "stream")
    printed = "".join(text_of(output.get("text")) for output in streams)
    for line, after in pairwise([*printed.split("\n"), ""]):
        yield line, plain(after, 500) if after.startswith(" " * 8) else ""


def parts_of(cell: Mapping[str, Any]) -> list[PartResult]:
    """Return the results of a test's parts, read from its outputs."""
    parts: list[PartResult] = []
    seen: Counter[str] = Counter()
    for line, message in _lines(cell):
        found = _PART.fullmatch(line)
        if not found or len(parts) == _MOST_PARTS:
            continue
        name = plain(found[2], 120)
        seen[name] += 1
        name += f" ({seen[name]})" if seen[name] > 1 else ""
        points = 0.0
        with contextlib.suppress(ValueError):
            points = float(found[3])
        passed = found[1] == "passed"
        parts.append(PartResult(name, points, passed, "" if passed else message))
    errors = errors_in(cell)
    return [*parts, PartResult("", 0.0, False, error_of(errors[0]))] if errors else parts


def outputs_of(cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a cell's outputs that are JSON objects."""
    outputs = cell.get("outputs")
    return [o for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else []


def errors_in(cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a cell's error outputs."""
    return [o for o in outputs_of(cell) if o.get("output_type") == "error"]


def error_of(output: Mapping[str, Any]) -> str:
    """Return the name of an error output and the first line of its message.

    If a test has no score, the grader's own error is returned without its name.
    """
    message = without_codes(text_of(output.get("evalue"))).strip().partition("\n")[0]
    traceback = output.get("traceback")
    message = plain(with_its_line(message, traceback if isinstance(traceback, list) else ()), 300)
    name = plain(text_of(output.get("ename")), 80)
    if name == "NotScored" and message:
        return message
    return ": ".join(filter(None, (name, message)))
