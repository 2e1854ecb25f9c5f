"""Reads a student's notebook file, or says in one sentence why it cannot be read.

The file is not trusted. It is opened only if it is a regular file (no link, no pipe) of bounded
size. A new notebook is built from the types, sources, pictures and flat `nbgrader` metadata of its
cells. All else is dropped, because nbgrader or nbclient would act on it.
"""

import contextlib
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

from hw_support.errors import UserError as UserError
from hw_support.submission.problems import encodable, plain, quoted

MAX_BYTES = 100_000_000
MAX_CELLS = 1_000
_MAX_VALUES = 2_000_000  # an empty list has three bytes in a file, and 64 in memory
_MAX_TEXT = 2_000_000  # characters of all cells together
_MAX_PICTURES = 200  # attached to all cells together
_LONGEST_MARK = 1_000  # characters of one value of the nbgrader metadata
_SMALLER = "Clear its outputs to make it smaller"

# What nbgrader itself writes into a cell's metadata: the schema, version 3.
NBGRADER_KEYS = (
    *("schema_version", "grade_id", "grade", "solution", "locked", "task", "points", "checksum"),
    "cell_type",
)
_IMAGE_TYPE = re.compile(r"image/[\w.+-]{1,100}")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")

# Errors on opening that the file causes. The machine causes all others.
_OF_THE_FILE = {
    *(errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR, errno.EINVAL),
    *(errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP, errno.EOVERFLOW),
}


def read_submission(
    path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES, keep_outputs: bool = False
) -> NotebookNode:
    """Read a notebook file. Return it in version 4.5, or raise `UserError`, which says why not.

    `keep_outputs` keeps well-formed outputs and execution counts.
    """
    path = Path(path)
    try:
        return notebook_of(read_regular_file(path, max_bytes), keep_outputs)
    except UserError as why:
        raise UserError(f"the notebook {quoted(path.name)} cannot be read: {why}") from None


def notebook_of(content: bytes, keep_outputs: bool = False) -> NotebookNode:
    """Return the notebook in a file with this content, as `read_submission` does."""
    document = _parsed(content)
    if document.get("nbformat") != 4 or not isinstance(document.get("cells"), list):
        found = f"format {quoted(document['nbformat'])}" if "nbformat" in document else "no format"
        raise UserError(
            f"expected a notebook of format 4 with a list of cells, found {found}. Open it in "
            "Jupyter, save it, and submit it again"
        )
    if not 0 < len(document["cells"]) <= MAX_CELLS:
        found = f"{len(document['cells']):,}"
        raise UserError(f"expected 1 to {MAX_CELLS:,} cells, found {found}")
    pictures = sum(map(_attached, document["cells"]))
    if pictures > _MAX_PICTURES:
        raise UserError(f"expected at most {_MAX_PICTURES} attached pictures, found {pictures:,}")
    cells = [_cell(raw, n, keep_outputs) for n, raw in enumerate(document["cells"], start=1)]
    if (size := sum(len(cell.source) for cell in cells)) > _MAX_TEXT:
        raise UserError(f"expected at most {_MAX_TEXT:,} characters of text, found {size:,}")
    notebook: NotebookNode = rejoin_lines(new_notebook(cells=cells))
    return notebook


def read_regular_file(path: Path, max_bytes: int, folder: int | None = None) -> bytes:
    """Read a file's bytes; a link, pipe, device, folder or larger file raises `UserError`.

    `folder` is a descriptor for a relative path. OSError means that the machine has a problem: no
    memory, too many open files, a failing disk.
    """
    try:
        # The file may be swapped after the first look, so follow no link and wait for no pipe.
        _check_is_regular(os.lstat(path, dir_fd=folder).st_mode)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(path, flags, dir_fd=folder), "rb") as file:
            status = os.fstat(file.fileno())
            _check_is_regular(status.st_mode)
            if status.st_size > max_bytes:
                found = f"{status.st_size:,}"
                raise UserError(f"expected at most {max_bytes:,} bytes, found {found}. {_SMALLER}")
            return file.read(max_bytes + 1)[:max_bytes]
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"there is no such file{_siblings(path)}") from None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in _OF_THE_FILE:
            raise
        raise UserError(f"opening it failed ({quoted(error, 120)})") from None


def _siblings(path: Path) -> str:
    """Name other notebooks in the folder: a missing one often just has a wrong name."""
    names = sorted(quoted(one.name) for one in path.parent.glob("*.ipynb") if one != path)
    return f", but there is {', '.join(names[:5])}: rename the right file" if names else ""


def _check_is_regular(mode: int) -> None:
    types = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}
    if not stat.S_ISREG(mode):
        found = types.get(stat.S_IFMT(mode), "a device or socket")
        raise UserError(f"expected a regular file, found {found}")


def _parsed(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        raise UserError(f"expected a notebook, found an empty file ({len(raw)} bytes)")
    if (values := sum(map(raw.count, (b"[", b"{", b",")))) > _MAX_VALUES:
        raise UserError(f"expected at most {_MAX_VALUES:,} values, found {values:,}. {_SMALLER}")
    try:
        document = json.loads(raw.decode("utf-8-sig"), parse_constant=lambda name: None)
    except RecursionError:
        raise UserError("expected JSON, found lists or objects nested too deeply") from None
    except ValueError as error:
        begin = raw[:120].decode("utf-8", "replace").strip()
        raise UserError(
            f"expected JSON, found text that begins with {quoted(begin, 30)} "
            f"({plain(str(error), 120)}). An upload may have been cut off: submit the whole file "
            "again, in UTF-8"
        ) from None
    if not isinstance(document, dict):
        raise UserError(f"expected a JSON object, found a {type(document).__name__}")
    return document


def _cell(raw: Any, number: int, keep_outputs: bool) -> NotebookNode:
    """Make a cell without nbformat's functions, which validate each cell and are slow."""
    cell_type, text = _dict(raw).get("cell_type"), _text(_dict(raw).get("source"))
    if cell_type not in ("code", "markdown", "raw") or text is None:
        raise UserError(
            f"expected a code, markdown or raw cell with a text, found cell {number} from the top "
            f"damaged ({quoted(cell_type)})"
        )
    cell = NotebookNode(id=f"cell-{number}", cell_type=cell_type, source=encodable(text))
    cell.metadata = NotebookNode()
    if isinstance(marks := _dict(raw.get("metadata")).get("nbgrader"), dict):
        flat = {k: v for k in NBGRADER_KEYS if isinstance(v := marks.get(k), str | int | float)}
        texts = {k: encodable(v[:_LONGEST_MARK]) for k, v in flat.items() if isinstance(v, str)}
        cell.metadata["nbgrader"] = NotebookNode(flat | texts)
    if cell_type == "code":
        count = raw.get("execution_count") if keep_outputs else None
        cell.execution_count = count if type(count) is int and count >= 0 else None
        cell.outputs = _outputs(raw.get("outputs")) if keep_outputs else []
    elif pictures := _pictures(raw.get("attachments")):
        cell.attachments = nbformat.from_dict(pictures)
    return cell


def _text(raw: Any) -> str | None:
    """Return a text, which may be a list of lines; None for anything else."""
    lines = raw if isinstance(raw, list) else [raw]
    return "".join(lines) if all(isinstance(line, str) for line in lines) else None


def _dict(raw: Any) -> dict[str, Any]:
    return raw if isinstance(raw, dict) else {}


def _attached(cell: Any) -> int:
    """Return how many files are attached to a cell; one in several types counts as often."""
    return sum(max(1, len(_dict(one))) for one in _dict(_dict(cell).get("attachments")).values())


def _pictures(raw: Any) -> dict[str, dict[str, str]]:
    """Keep attached images (photographs of derivations); other types could be active content."""
    pictures: dict[str, dict[str, str]] = {}
    for name, bundle in _dict(raw).items():
        for mime, data in _dict(bundle).items():
            text = _text(data) if len(name) <= _LONGEST_MARK else None
            if not text or text.isspace():
                continue
            if _IMAGE_TYPE.fullmatch(mime) and _BASE64.fullmatch(text):
                pictures.setdefault(encodable(name), {})[mime] = text
    return pictures


def _outputs(raw: Any) -> list[NotebookNode]:
    outputs = []
    for entry in raw if isinstance(raw, list) else []:
        with contextlib.suppress(Exception):
            text = json.dumps(entry, ensure_ascii=False)
            output = nbformat.from_dict(json.loads(encodable(text)))
            nbformat.validate(output, ref="output", version=4)
            outputs.append(output)
    return outputs
