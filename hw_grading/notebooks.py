"""Reads notebooks as JSON: where the instructor's cells are, what students wrote and printed.

A graded notebook contains what a student wrote. No structure of its JSON is assumed.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hw_grading.texts import without_codes
from hw_support.checks.failures import without_its_file
from hw_support.submission.cells import continues, grade_id_of, text_of
from hw_support.submission.file import UserError, read_regular_file
from hw_support.submission.problems import plain

FINISHED = "finished"  # metadata key of a notebook whose grading finished
HANDED_IN = "handed_in_sha256"  # metadata key of the graded file's digest; "" if there was no file
MAX_BYTES = 200_000_000
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # an object's address, which differs in each run


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


def size_and_time(path: Path) -> tuple[int, int] | None:
    """Return the size and time of a file, which tell whether it has changed; None without one."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns
