"""The cells of a notebook: the instructor's, and their grade ids in a student's notebook."""

from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from hw_support.submission.problems import METADATA_KEY

NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


@dataclass(frozen=True, slots=True)
class InstructorCell:
    """A cell as stored in the gradebook."""

    grade_id: str
    cell_type: str  # "code" or "markdown"
    source: str  # with hidden tests but without solutions
    locked: bool  # students are not meant to edit it
    grade: bool  # has points
    solution: bool  # students answer in it
    task: bool  # graded by a person
    points: float | None  # of a graded cell or a task
    checksum: str | None  # nbgrader's, of source, type, flags and points
    released: str | None = None  # the source as students have it; if None, it is `source`

    @property
    def is_test(self) -> bool:
        """Whether its points come from a test and not from a person."""
        return self.grade and not self.solution and self.cell_type == "code"

    @property
    def is_for_a_person(self) -> bool:
        """Whether it is an answer that a person grades."""
        return self.grade and self.solution

    @property
    def given(self) -> str:
        """The source as students have it; the whole source if they have nothing of it."""
        return self.released or self.source

    def is_unchanged(self, source: str) -> bool:
        """Whether a text equals this cell's source, apart from white space at the ends of lines."""
        return trimmed(source) in (trimmed(self.source), trimmed(self.given))

    def metadata(self) -> NotebookNode:
        """Return nbgrader's metadata for this cell."""
        flags = {name: getattr(self, name) for name in ("grade", "solution", "locked", "task")}
        some = {"cell_type": self.cell_type, "points": self.points, "checksum": self.checksum}
        some = {name: value for name, value in some.items() if value is not None}
        return NotebookNode(schema_version=3, grade_id=self.grade_id, **flags, **some)


def trimmed(source: str) -> str:
    """Return a text without white space at the ends of its lines, and around it."""
    return "\n".join(line.rstrip() for line in source.splitlines()).strip()


def grade_id_of(cell: Any) -> str | None:
    """Return a cell's grade id; None if it has none."""
    grade_id = nbgrader_metadata(cell).get("grade_id")
    return grade_id if isinstance(grade_id, str) else None


def nbgrader_metadata(cell: Any) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell; an empty dict if it has none."""
    return _section(cell, "nbgrader")


def _section(cell: Any, key: str) -> dict[str, Any]:
    """Return a dict in the metadata of a cell, which may be any JSON; an empty one if none."""
    metadata = cell.get("metadata") if isinstance(cell, dict) else None
    section = metadata.get(key) if isinstance(metadata, dict) else None
    return section if isinstance(section, dict) else {}


def continues(cell: Any) -> str | None:
    """Return the grade id of the answer that a student's own cell continues; None if of none."""
    name = _section(cell, METADATA_KEY).get("continues")
    return name if isinstance(name, str) else None


def text_of(value: Any) -> str:
    """Return a notebook's text, which is a string or a list of lines; "" for any other type."""
    lines = value if isinstance(value, list) else [value]
    return "".join(line for line in lines if isinstance(line, str))
