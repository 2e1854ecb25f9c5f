"""Reads notebooks as JSON: where the instructor's cells are, what students wrote and printed.

A graded notebook contains what a student wrote. No structure of its JSON is assumed.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw_support.failures import without_its_file
from hw_support.submission.cells import continues, grade_id_of, marks_of, text_of
from hw_support.submission.file import UserError, read_regular_file
from hw_support.submission.problems import plain as plain

FINISHED = "finished"  # metadata key of a notebook whose grading finished
HANDED_IN = "handed_in_sha256"  # metadata key of the graded file's digest; "" if there was no file
MAX_BYTES = 200_000_000
_HEADING = re.compile(r"^(#{2,4}) +(.+?)(?: +\([^()]*points?\))? *$", re.MULTILINE)
_SCHEME = re.compile(r"^.*BEGIN MARK SCHEME.*\n((?s:.*?))^.*END MARK SCHEME.*", re.MULTILINE)
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # an object's address, which differs in each run
# With bounded lengths, a search takes little time.
_CODES = re.compile(r"\x1b\[[0-?]{0,40}[ -/]{0,4}[@-~]")
# Also characters that change the direction of writing.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)


def open_notebook(path: Path) -> Any:
    """Return a notebook's JSON, an object with a list of cells and an object of metadata."""
    try:
        document = json.loads(read_regular_file(path, MAX_BYTES))
    except (ValueError, RecursionError) as error:
        raise UserError(f"it is not JSON in UTF-8 ({plain(str(error), 80)})") from None
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise UserError("it is JSON but not a notebook of version 4")
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
    message = plain(without_its_file(message), 300)
    name = plain(text_of(output.get("ename")), 80)
    if name == "NotScored" and message:
        return message
    return ": ".join(filter(None, (name, message)))


# -- the instructor's notebook


@dataclass(frozen=True)
class Place:
    """Where a cell is in the instructor's notebook."""

    question: str  # the heading that names the cell's question: "1.3e", "Q0.6", "Certification"
    title: str  # the innermost heading, without its points
    scheme: str = ""  # the mark scheme of the question that the cell answers
    text: str = ""  # that question in markdown, without its mark scheme
    heading: str = field(default="", compare=False)  # after the number

    def __str__(self) -> str:
        return self.title if self.title == self.question else f"{self.question} {self.title}"


class Places(dict[str, Place]):
    """The places of cells by grade id; a cell that the notebook lacks is called by its grade id."""

    def __missing__(self, name: str) -> Place:
        return Place(name, name)


def order_in(places: Iterable[str]) -> Callable[[str], tuple[int, str]]:
    """Return a sort key for grade ids: as in the notebook, then those that it lacks."""
    order = {name: number for number, name in enumerate(places)}
    return lambda name: (order.get(name, len(order)), name)


def read_places(*paths: Path) -> Places:
    """Return where the cells of a homework's notebooks are, by grade id.

    A question and its mark scheme apply until the next heading. A file that is missing has no
    places; `UserError` if one is damaged.
    """
    places = Places()
    for path in filter(Path.exists, paths):
        try:
            places.update(_places_in(open_notebook(path)))
        except UserError as why:
            raise UserError(f"{path}: {why}") from None
    return places


def _places_in(document: Mapping[str, Any]) -> Places:
    places = Places()
    headings = {2: "", 3: "", 4: ""}
    scheme, question = "", ""
    for cell in document["cells"]:
        if cell.get("cell_type") == "markdown" and marks_of(cell).get("solution") is not True:
            text = text_of(cell.get("source"))
            for marks, heading in _HEADING.findall(text):
                level = len(marks)
                headings |= {n: heading if n == level else "" for n in range(level, 5)}
                scheme, question = "", ""
            question = f"{question}\n\n{_SCHEME.sub('', text)}".strip()
            if region := _SCHEME.search(text):
                scheme = region[1].strip()
        for name in cells_by_id({"cells": [cell]}):
            places[name] = _place(name, headings, scheme, question)
    return places


def _place(name: str, headings: dict[int, str], scheme: str, text: str) -> Place:
    """Name a place by the innermost heading that begins with a number, such as "1.3e" or "Q0.6".

    Without one, the innermost heading of levels 2 and 3 counts.
    """
    for level in (4, 3, 2):
        first, _, rest = headings[level].partition(" ")
        if rest and any(character.isdigit() for character in first):
            below = [headings[n] for n in range(level + 1, 5) if headings[n]]
            return Place(first, " ".join(below) or rest, scheme, text, rest)
    counted = headings[3] or headings[2] or name
    return Place(counted, headings[4] or counted, scheme, text)


# -- digests of answers


def answer_digest(cell: Mapping[str, Any]) -> str:
    """Return a digest, 64 hexadecimal characters, of what a grader sees of an answer."""
    digest = hashlib.sha256()
    for piece in _pieces(cell):
        encoded = piece.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.hexdigest()


def _pieces(cell: Mapping[str, Any]) -> Iterator[str]:
    yield str(cell.get("cell_type"))
    yield text_of(cell.get("source")).strip()
    attachments = cell.get("attachments")
    if isinstance(attachments, dict):
        for name in sorted(attachments, key=str):
            yield str(name)
            yield from _data(attachments[name])
    if cell.get("cell_type") != "code":
        return
    for output in outputs_of(cell):
        kind = output.get("output_type")
        if kind == "stream" and output.get("name") != "stderr":
            yield _ADDRESS.sub("", text_of(output.get("text")))
        elif kind == "error":
            yield text_of(output.get("ename"))
        elif kind in ("display_data", "execute_result"):
            yield from _data(output.get("data"))


def _data(bundle: Any) -> Iterator[str]:
    """Yield the data of a bundle by type. A picture's data has no line ends."""
    if not isinstance(bundle, dict):
        return
    for kind in sorted(bundle, key=str):
        text = text_of(bundle[kind])
        yield str(kind)
        yield "".join(text.split()) if str(kind).startswith("image/") else _ADDRESS.sub("", text)


# -- printed text, as a terminal would finally show it


def without_controls(text: str) -> str:
    """Replace control characters, surrogates, and those that change the direction of writing."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def without_codes(text: str) -> str:
    """Drop terminal control codes. Keep only the last state of a line that was overwritten."""
    lines = _CODES.sub("", text).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters of a text, and how many more there are."""
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]}\n… and {more:,} more characters"


def size_and_time(path: Path) -> tuple[int, int] | None:
    """Return the size and time of a file, which tell whether it has changed; None without one."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns
