"""Detects whether an answer has changed, by a digest of its text, code and outputs.

nbgrader queues every answer that has a manual score again when tests grade its submission again.
`hw_grading.plugins.saving` keeps an answer graded, on the desk or in formgrader, if its digest is
the same as at the last autograding.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from hw_grading.gradebook.desk_tables import ANSWERS
from hw_grading.gradebook.graded_notebook import outputs_of
from hw_support.submission.cells import text_of

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # an object's address, which differs in each run


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


def digests_before(connection: Connection, assignment: str, student: str) -> dict[str, str]:
    """Return the digests of a student's answers at the last autograding, by grade id."""
    query = select(ANSWERS.c.cell, ANSWERS.c.digest).where(_of(assignment, student))
    return {row.cell: row.digest for row in connection.execute(query)}


def remember(
    connection: Connection, assignment: str, student: str, digests: Mapping[str, str]
) -> None:
    """Store the digests of a student's answers as they are now."""
    connection.execute(delete(ANSWERS).where(_of(assignment, student)))
    whose = {"assignment": assignment, "student": student}
    rows = [{**whose, "cell": cell, "digest": digest} for cell, digest in digests.items()]
    if rows:
        connection.execute(insert(ANSWERS), rows)


def _of(assignment: str, student: str) -> ColumnElement[bool]:
    return (ANSWERS.c.assignment == assignment) & (ANSWERS.c.student == student)
