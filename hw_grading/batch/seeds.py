"""Seeds of hidden inputs: each submission has its own seed, the same whenever it is graded.

A seed is a keyed digest. The key is a secret of the course, which is created when its first class
is graded. It is stored in a file outside the repository, and no sandbox shows this file. Nobody can
predict an input without the key.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir
from nbformat import NotebookNode
from nbgrader.utils import is_locked

from hw_grading.homework.notes import is_notes
from hw_grading.outcome import GraderFault
from hw_support.submission.cells import grade_id_of

BYTES = 32  # of a secret
_BITS = 128  # of a seed


@dataclass(frozen=True)
class Seeds:
    """The seeds of a course's submissions."""

    secret: bytes = field(repr=False)  # `BYTES` bytes that nobody can guess

    def of(self, homework: str, student: str, notebook: NotebookNode) -> int:
        """Return the seed of one submission, 128 bits.

        It depends on the order of all cells of the mended notebook, on the type and text of the
        student's cells, and on the grade ids of locked cells. So a changed answer gets another
        seed, and so does a cell that was moved or became text. A student who has learned hidden
        inputs cannot use them in the next attempt. A new text of a locked cell changes no seed.
        """
        cells = (cell for cell in notebook.cells if not is_notes(cell))
        texts = (text for cell in cells for text in _identity(cell))
        return _number(self.secret, homework, student, *texts)


def another(seed: int) -> int:
    """Return the seed of a run that replaces one with this seed.

    Student code that has seen inputs may pass them on, for example by the files that the system
    keeps in memory. So the next run needs other inputs.
    """
    return _number(str(seed).encode(), "second run")


def _identity(cell: NotebookNode) -> tuple[str, str, str]:
    grade_id = grade_id_of(cell) or ""
    return ("locked", grade_id, "") if is_locked(cell) else (cell.cell_type, grade_id, cell.source)


def _number(key: bytes, *texts: str) -> int:
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return int.from_bytes(digest.digest()[: _BITS // 8], "big")


def secret_file(course: Path, course_id: str) -> Path:
    """Return the default file of a course's secret, which is in Jupyter's data folder."""
    name = hashlib.sha256(os.fsencode(course.resolve())).hexdigest()[:16]
    readable = "".join(c for c in course_id if c.isalnum() or c in "-_")[:40]
    return Path(jupyter_data_dir(), "hw_grading", f"{readable or 'course'}-{name}.secret")


def course_seeds(file: Path) -> Seeds:
    """Read a course's secret; create it if it is missing. Raise `GraderFault` if that fails."""
    try:
        if not file.exists():
            _make(file)
        secret = bytes.fromhex(file.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise GraderFault(
            "The course's secret, from which hidden inputs are drawn, cannot be read from "
            f"{file} or written to it ({error}). Make that folder writable, or set "
            "c.WholeClass.secret_file to a file outside the course"
        ) from error
    if len(secret) != BYTES:
        raise GraderFault(
            f"{file}: expected a secret of {BYTES} bytes in hexadecimal digits, found "
            f"{len(secret)} bytes. Remove the file: the grader makes a new secret, and hidden "
            "tests get new inputs"
        )
    return Seeds(secret)


def _make(file: Path) -> None:
    """Write a new secret atomically. If another process has just created one, keep that."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=file.parent)  # only its owner may read it
    try:
        with os.fdopen(handle, "w", encoding="ascii") as written:
            written.write(secrets.token_hex(BYTES))
        if not file.exists():
            os.link(temporary, file)
    except FileExistsError:
        return
    finally:
        os.unlink(temporary)
