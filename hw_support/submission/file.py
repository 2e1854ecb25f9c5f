"""Reads a student's notebook file of any content; it returns a notebook and never raises for it.

The file is not trusted. It is opened only if it is a regular file (no link, no pipe) of bounded
size. A new notebook is built from the types, sources, pictures and flat `nbgrader` metadata of its
cells. All else is dropped, because nbgrader or nbclient would act on it.
"""

import errno
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_notebook
from nbformat.v4.rwbase import rejoin_lines

from hw_support.submission.problems import METADATA_KEY, Kind, Problem, Severity, encodable, quoted

MAX_BYTES = 100_000_000
MAX_CELLS = 5_000
_MOST_MEMORY = 250_000_000  # bytes of memory for reading a file
# Characters kept from all cells together. Photographs of derivations are large.
_MOST_TEXT, _MOST_PICTURES = 10_000_000, 40_000_000
_LONGEST_MARK = 1_000  # characters of one value of the nbgrader metadata

# What nbgrader itself writes into a cell's metadata: the schema, version 3.
NBGRADER_KEYS = (
    *("schema_version", "grade_id", "grade", "solution", "locked", "task", "points", "checksum"),
    "cell_type",
)
# Tags that would change what is run, or what an error means.
ACTIVE_TAGS = {"skip-execution", "raises-exception"}
_CELL_TYPES = ("code", "markdown", "raw")
_IMAGE_TYPE = re.compile(r"image/[\w.+-]+")
# What may stand at the end of a JSON text that is cut off.
_LITERALS = ("true", "false", "null", "-", ".", "e-", "e+")
_ESCAPE = re.compile(r"\\?u?[0-9A-Fa-f]{0,4}")  # the beginning of one, such as \u00e4
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


# Errors on opening that the file causes. The machine causes all others.
_OF_THE_FILE = {
    *(errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR, errno.EINVAL),
    *(errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP, errno.EOVERFLOW),
}


class Unreadable(Exception):
    """The file holds no notebook that can be graded; the text says why."""


def read_submission(
    path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES, keep_outputs: bool = False
) -> tuple[NotebookNode, list[Problem]]:
    """Read a notebook file of any content, also one that does not exist.

    Return a valid notebook of version 4.5, and the problems that were found. If nothing could be
    read, the notebook is empty and one problem has the severity "failed". If `keep_outputs`, which
    is for a file that the grader itself wrote, well-formed outputs, the kernel's name and the
    stored problems are kept.
    """
    path = Path(path)
    problems: list[Problem] = []
    try:
        document = _version_4(_parse(read_regular_file(path, max_bytes)), problems)
        cells = _cells(document["cells"], keep_outputs, problems)
    except Unreadable as why:
        message = f"The notebook {quoted(path.name)} cannot be read: {why}. It scores 0."
        return new_notebook(), [*problems, Problem(Kind.FILE, Severity.FAILED, message)]
    nb = new_notebook(cells=cells)
    metadata = document.get("metadata")
    if keep_outputs:
        nb = rejoin_lines(nb)
    if keep_outputs and isinstance(metadata, dict):
        nb.metadata = _of_ours(metadata)
    return nb, problems


def expect_notebook(content: bytes) -> None:
    """Raise `Unreadable` if a file with this content holds no notebook that can be graded."""
    _cells(_version_4(_parse(content), [])["cells"], False, [])


def _of_ours(metadata: dict[str, Any]) -> NotebookNode:
    kept = {k: metadata[k] for k in ("kernelspec", METADATA_KEY) if k in metadata}
    try:
        nb = new_notebook(metadata=nbformat.from_dict(kept))
        nbformat.validate(nb)
    except Exception:  # the grader did not write it after all
        return NotebookNode()
    return NotebookNode(nb.metadata)


def read_regular_file(path: Path, max_bytes: int) -> bytes:
    """Read a file's bytes; a link, pipe, device, folder or larger file raises `Unreadable`.

    OSError means that the machine has a problem: no memory, too many open files, a failing disk.
    """
    try:
        # The file may be swapped after the first look, so follow no link and wait for no pipe.
        _check_is_regular(os.lstat(path).st_mode)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            _check_is_regular(status.st_mode)
            if status.st_size > max_bytes:
                raise Unreadable(
                    f"expected at most {max_bytes:,} bytes, found {status.st_size:,}. "
                    "Clear its outputs to make it smaller"
                )
            return file.read(max_bytes + 1)[:max_bytes]
    except (FileNotFoundError, NotADirectoryError):
        raise Unreadable(f"there is no such file{_siblings(path)}") from None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in _OF_THE_FILE:
            raise
        raise Unreadable(f"opening it failed ({quoted(error, 120)})") from None


def _siblings(path: Path) -> str:
    """Name other notebooks in the folder: a missing one often just has a wrong name."""
    try:
        names = sorted(n for n in os.listdir(path.parent) if n.endswith(".ipynb"))
    except OSError:
        return ""
    found = ", ".join(quoted(n) for n in names[:5] if n != path.name)
    return f", but there is {found}: rename the right file" if found else ""


def _check_is_regular(mode: int) -> None:
    types = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}
    if not stat.S_ISREG(mode):
        found = types.get(stat.S_IFMT(mode), "a device or socket")
        raise Unreadable(f"expected a regular file, found {found}")


def _parse(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        raise Unreadable(f"expected a notebook, found an empty file ({len(raw)} bytes)")
    if (megabytes := _memory_of(raw) // 1_000_000) > _MOST_MEMORY // 1_000_000:
        raise Unreadable(
            f"reading it would take {megabytes:,} MB of memory, {_MOST_MEMORY // 1_000_000} MB "
            "are allowed. Clear its outputs to make it smaller"
        )
    size = len(raw)
    cut_off = (
        f"the file ends in the middle ({size:,} bytes): an upload or a copy was cut off. Submit "
        "the whole file again"
    )
    try:
        text = raw.decode("utf-8-sig")
        del raw
    except UnicodeDecodeError as error:
        if error.end == size and error.reason == "unexpected end of data":
            raise Unreadable(cut_off) from None
        found = f"found other bytes from byte {error.start} on"
        raise Unreadable(f"expected text in UTF-8, {found}") from None
    try:
        # No cell uses infinities, NaN and numbers with many digits. They become None.
        document = json.loads(text, parse_int=_int, parse_constant=lambda name: None)
    except json.JSONDecodeError as error:
        if _is_cut_off(text, error):
            raise Unreadable(cut_off) from None
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        found = f"found text that begins with {quoted(text.lstrip()[:30])} ({where})"
        raise Unreadable(f"expected JSON, {found}") from None
    except (RecursionError, ValueError):
        raise Unreadable("its JSON is nested too deeply") from None
    if not isinstance(document, dict):
        raise Unreadable(f"expected a JSON object, found a {type(document).__name__}")
    return document


def _is_cut_off(text: str, error: json.JSONDecodeError) -> bool:
    """Whether a text is the beginning of a JSON object, and the only mistake is that it ends."""
    rest = text[error.pos :].rstrip()
    ends = any(word.startswith(rest) for word in _LITERALS)
    ends = ends or error.msg.startswith("Unterminated string") or bool(_ESCAPE.fullmatch(rest))
    return text.lstrip().startswith("{") and ends


def _memory_of(raw: bytes) -> int:
    """Return an upper bound for the bytes of memory to parse JSON; short items need most."""
    size = len(raw)
    # Python stores each character of a text with as many bytes as the widest one needs.
    leads = {4: range(0xF0, 0xF5), 2: range(0xC4, 0xF0)}
    width = next((n for n, group in leads.items() if any(byte in raw for byte in group)), 1)
    surrogates = (b"\\ud8", b"\\uD8", b"\\ud9", b"\\uD9", b"\\uda", b"\\uDA", b"\\udb", b"\\uDB")
    escaped = 4 if any(s in raw for s in surrogates) else 2 if b"\\u" in raw else 1
    items = {b"[": 64, b"{": 240, b",": 60, b":": 60}
    parsed = size * max(width, escaped) + sum(n * raw.count(c) for c, n in items.items())
    return size * width + max(size, parsed)


def _int(digits: str) -> int | None:
    return int(digits) if len(digits) < 20 else None


def _bound_headings(document: dict[str, Any]) -> None:
    """Limit headings of old formats to six levels: conversion writes a "#" for each level."""
    for sheet in (document, *_list(document.get("worksheets"))):
        for cell in map(_dict, _list(_dict(sheet).get("cells"))):
            if isinstance(cell.get("level"), int):
                cell["level"] = min(cell["level"], 6)


def _version_4(document: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Return the document with a list of version-4 cells in it."""
    version = document.get("nbformat")
    version = None if isinstance(version, bool) else version  # True would equal 1
    if not isinstance(document.get("cells"), list) or version in (1, 2):
        if not (version in (1, 2) or isinstance(document.get("worksheets"), list)):
            found = quoted(type(document["cells"]).__name__) if "cells" in document else "none"
            raise Unreadable(f"expected a list of cells, found {found}")
        version = version if version in (1, 2) else 3
        _bound_headings(document)
        try:
            document = nbformat.convert(nbformat.from_dict({**document, "nbformat": version}), 4)
            cells = document["cells"]
        except (OSError, MemoryError):  # nbformat reads its schemas
            raise
        except Exception as error:  # conversion trusts the file and may raise anything
            raise Unreadable(
                f"converting it from notebook format {version} to 4 failed ({quoted(error, 120)})"
            ) from None
        if not isinstance(cells, list):
            raise Unreadable("expected a list of cells")
    if version != 4:
        found = f"version {quoted(version)}" if version is not None else "no version"
        message = f"Expected notebook format 4, found {found}: it was read as format 4."
        problems.append(Problem(Kind.FORMAT, Severity.MENDED, message))
    return document


def _cells(raw_cells: list[Any], keep_outputs: bool, problems: list[Problem]) -> list[NotebookNode]:
    if not raw_cells:
        raise Unreadable("it has no cells")
    if len(raw_cells) > MAX_CELLS:
        raise Unreadable(f"expected at most {MAX_CELLS:,} cells, found {len(raw_cells):,}")
    cells, broken, too_large = [], [], []
    text_left, pictures_left = _MOST_TEXT, _MOST_PICTURES
    for number, raw in enumerate(raw_cells, start=1):
        if not isinstance(raw, dict):
            broken.append(number)
            continue
        source, whole = _source(raw.get("source"))
        cell_type = str(raw.get("cell_type"))
        if not whole or cell_type not in _CELL_TYPES:
            broken.append(number)
            cell_type = cell_type if cell_type in ("code", "markdown") else "raw"
        if len(source) > text_left:
            too_large.append(number)
            source = ""
        text_left -= len(source)
        cell = _new_cell(cell_type, source, f"cell-{number}")
        if cell_type != "code" and (pictures := _pictures(raw.get("attachments"))):
            pictures_left -= sum(len(d) for images in pictures.values() for d in images.values())
            if pictures_left < 0:
                too_large.append(number)
            else:
                cell["attachments"] = nbformat.from_dict(pictures)
        cell.metadata = _metadata(raw.get("metadata"), number, problems)
        if keep_outputs and cell_type == "code":
            cell.outputs = _outputs(raw.get("outputs"))
            count = raw.get("execution_count")
            cell.execution_count = count if type(count) is int and count >= 0 else None
        cells.append(cell)
    if not cells:
        raise Unreadable("none of its cells could be read")
    if broken:
        where = ", ".join(map(str, broken[:10])) + (", …" if len(broken) > 10 else "")
        message = (
            f"{len(broken)} cell(s) do not follow the notebook format (number {where}, counted "
            "from the top): the readable part of them was kept."
        )
        problems.append(Problem(Kind.FORMAT, Severity.MENDED, message))
    if too_large:
        message = (
            f"Text or pictures of {len(too_large)} cell(s) were left out (the first is number "
            f"{too_large[0]}, counted from the top). At most {_MOST_TEXT:,} characters of text and "
            f"{_MOST_PICTURES:,} of pictures are read."
        )
        problems.append(Problem(Kind.FORMAT, Severity.FAILED, message))
    return cells


def _new_cell(cell_type: str, source: str, name: str) -> NotebookNode:
    """Make a cell without nbformat's functions, which validate each cell and are slow."""
    cell = NotebookNode(id=name, cell_type=cell_type, metadata=NotebookNode(), source=source)
    if cell_type == "code":
        cell.execution_count = None
        cell.outputs = []
    return cell


def _source(raw: Any) -> tuple[str, bool]:
    """Return the text of a cell, and whether it is the complete source."""
    lines = raw if isinstance(raw, list) else [raw]
    texts = [line for line in lines if isinstance(line, str)]
    joined = "".join(texts)
    text = encodable(joined) if len(joined) <= _MOST_TEXT else joined  # too long, so it is dropped
    return text, len(texts) == len(lines) and text == joined


def _list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _dict(raw: Any) -> dict[str, Any]:
    return raw if isinstance(raw, dict) else {}


def _pictures(raw: Any) -> dict[str, dict[str, str]]:
    """Keep attached images (photographs of derivations); other types could be active content."""
    pictures = {}
    for name, bundle in _dict(raw).items():
        images = {}
        for mime, data in _dict(bundle).items():
            text, whole = _source(data)
            if whole and _IMAGE_TYPE.fullmatch(mime) and _BASE64.fullmatch(text):
                images[mime] = text
        if images:
            pictures[encodable(name)] = images
    return pictures


def _metadata(raw: Any, number: int, problems: list[Problem]) -> NotebookNode:
    kept = NotebookNode()
    marks = _dict(raw).get("nbgrader")
    if isinstance(marks, dict):
        values = {k: v for k in NBGRADER_KEYS if isinstance(v := marks.get(k), str | int | float)}
        for key, value in values.items():
            values[key] = encodable(value[:_LONGEST_MARK]) if isinstance(value, str) else value
        kept["nbgrader"] = NotebookNode(values)
    elif marks is not None:
        message = f"The nbgrader metadata of cell {number} is not a JSON object: it was removed."
        problems.append(Problem(Kind.METADATA, Severity.MENDED, message))
    tags = [tag for tag in _list(_dict(raw).get("tags")) if isinstance(tag, str)]
    for tag in sorted(ACTIVE_TAGS.intersection(tags)):
        grade_id = kept.get("nbgrader", {}).get("grade_id")
        name = grade_id if isinstance(grade_id, str) else None
        message = (
            f"Cell {quoted(name) if name else number} has the tag {tag!r}: the tag was removed, "
            "and the cell was run like any other."
        )
        problems.append(Problem(Kind.METADATA, Severity.MENDED, message, name))
    return kept


def _outputs(raw: Any) -> list[NotebookNode]:
    outputs = []
    for entry in _list(raw):
        try:
            text = json.dumps(entry, ensure_ascii=False)
            output = nbformat.from_dict(json.loads(encodable(text)))
            nbformat.validate(output, ref="output", version=4)
        except Exception:
            continue
        outputs.append(output)
    return outputs
