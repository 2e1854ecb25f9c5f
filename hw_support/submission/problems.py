"""The problems of a submission, in words that a person can act on.

They are stored in the notebook's metadata, and one cell at the top shows them to GSI and student.
A student's text (names, identifiers, lines of code) enters a message only through `quoted`. The
cell at the top escapes every message again.
"""

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

METADATA_KEY = "hw_grading"
NOTES_HEADING = "### Notes from the grader"
_TAG = re.compile(r"<[a-zA-Z/!?](?:[^<>\n]|\n(?![^\S\n]*\n))*>")  # without blank lines
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HEADING = re.compile(r"<h[1-6]\b", re.IGNORECASE)
# The heading on lines of its own, or at the start of a heading, in a text of letters and "#".
_NOTES = re.compile(r"^\d*(?:#+{0}|{0}$)".format(r"\n*".join("notesfromthegrader")), re.MULTILINE)
_FILLERS = "\u115f\u1160"  # letters that nobody sees
_UNSEEN = ("Cf", "Mn", "Mc", "Me")  # kinds of characters
_MOST_LETTERS = 4  # for one character, as in a ligature; one of Arabic stands for 18
MOST_STORED = 100  # one file can have thousands of problems; a person reads a few


class Severity(StrEnum):
    """How severe a problem is: grading went on, or it failed wholly or in part."""

    MENDED = "mended"
    FAILED = "failed"


class Kind(StrEnum):
    """The kind of a problem, for counting and for tests."""

    OTHER_HOMEWORK = "other-homework"  # submitted as this one
    FOLDER = "folder"  # other files beside the notebook
    OTHER_NOTEBOOK = "other-notebook"  # besides the graded one
    METADATA = "metadata"  # points, flags or tags edited
    UNKNOWN_CELL = "unknown-cell"
    DUPLICATE_CELL = "duplicate-cell"
    RETYPED_CELL = "retyped-cell"
    EDITED_CELL = "edited-cell"
    DELETED_CELL = "deleted-cell"
    MOVED_CELL = "moved-cell"
    ADDED_CELL = "added-cell"  # the student's own cell is graded as the answer
    TIME_LIMIT = "time-limit"
    OUTPUT_LIMIT = "output-limit"
    MEMORY_LIMIT = "memory-limit"
    DISK_LIMIT = "disk-limit"
    PROTOCOL = "protocol"  # the kernel sends replies that match no request
    GRADER = "grader"  # not the submission's fault
    KERNEL = "kernel"  # died, did not start, or had to be killed
    SCORE = "score"  # a test returned a number that is no score


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a submission."""

    kind: Kind
    severity: Severity
    message: str  # a sentence: what was expected, what was found, what was done
    cell: str | None = None  # the grade id of the instructor's cell concerned


def mended_cell(kind: Kind, grade_id: str, what: str) -> Problem:
    """Return a mended problem of one of the instructor's cells; `what` is said of the cell."""
    return Problem(kind, Severity.MENDED, f"Cell {quoted(grade_id)} {what}", grade_id)


def quoted(text: object, limit: int = 60) -> str:
    """Quote a student's text on one line of at most `limit` printable characters."""
    return f"'{plain(str(text), limit)}'"


def plain(text: str, limit: int) -> str:
    """Return at most `limit` characters on one line, without terminal control characters."""
    line = " ".join(text[: 4 * limit].split())
    if not line.isprintable():
        line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def encodable(text: str) -> str:
    """Replace lone surrogates by '?': neither UTF-8 files nor checksums can hold them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def without_disguise(text: str) -> str:
    """Return markdown in small letters, without tags, accents and characters that nobody sees.

    Letters that only look different (wide, bold, in a circle) become the usual ones.
    """
    text = html.unescape(_TAG.sub("", text))
    if not text.isascii():  # each kind once: sorting many accents would take very long
        text = text.translate({ord(c): _usual(c) for c in set(text)})
    return text.casefold()


def _usual(character: str) -> str:
    """Return the usual letters for a character; "" if nobody sees it."""
    letters = unicodedata.normalize("NFKD", character)
    seen = (c for c in letters if unicodedata.category(c) not in _UNSEEN and c not in _FILLERS)
    return "".join(seen)[:_MOST_LETTERS]


def read_problems(nb: NotebookNode) -> list[Problem]:
    """Read the problems stored in a notebook; malformed ones are skipped."""
    section = nb.get("metadata", {}).get(METADATA_KEY)
    return problems_in(section.get("problems") if isinstance(section, dict) else None)


def problems_in(entries: object) -> list[Problem]:
    """Return problems from JSON data; malformed ones are skipped."""
    return [p for e in entries if (p := _parsed(e))] if isinstance(entries, list) else []


def add_problems(nb: NotebookNode, problems: Iterable[Problem]) -> None:
    """Append problems to those in a notebook, each only once, at most `MOST_STORED` in all."""
    held = dict.fromkeys([*read_problems(nb), *problems])
    section = nb.metadata.get(METADATA_KEY)
    section = NotebookNode(section) if isinstance(section, dict) else NotebookNode()
    section["problems"] = [NotebookNode(asdict(p)) for p in list(held)[:MOST_STORED]]
    nb.metadata[METADATA_KEY] = section


def put_notes_on_top(nb: NotebookNode) -> None:
    """Show the stored problems in a markdown cell at the top, in place of all such cells.

    A student's cells with the same heading would look like the grader's.
    """
    nb.cells = [c for c in nb.cells if not is_notes(c)]
    if problems := read_problems(nb):
        items = "\n".join(f"<li>{_inert(p.message)}</li>" for p in problems)
        source = f"{NOTES_HEADING}\n\n<ul>\n{items}\n</ul>"
        insert_cell(nb, 0, new_markdown_cell(source, id="notes-from-the-grader"))


def insert_cell(nb: NotebookNode, place: int, cell: NotebookNode) -> None:
    """Insert a cell, and change its id if another cell has it."""
    taken = {c.get("id") for c in nb.cells}
    while cell.id in taken:
        cell.id += "-"
    nb.cells.insert(place, cell)


def is_notes(cell: NotebookNode) -> bool:
    """Whether a cell comes from `put_notes_on_top` or looks as if it did.

    An answer is none, whatever it looks like. Nor is a text that has these words in a sentence.
    """
    if cell.get("cell_type") != "markdown" or "nbgrader" in cell.get("metadata", {}):
        return False
    source = str(cell.get("source", ""))
    end = source.rfind("-->") + len("-->")  # no search for a comment's end is in vain
    # Some comments are shown, such as one with a blank line in it.
    uncommented = _COMMENT.sub("", source[:end]) + source[end:]
    return any(_NOTES.search(_letters(text)) for text in {source, uncommented})


def _letters(source: str) -> str:
    """Return a text's letters, digits, ends of lines, and a "#" for each heading."""
    marked = without_disguise(_HEADING.sub(r"#\g<0>", source))
    others = [c for c in set(marked) if not (c.isalnum() or c in "#\n")]
    return marked.translate(dict.fromkeys(map(ord, others)))


def _inert(message: str) -> str:
    """Escape for an HTML block in markdown: no tag, no markdown (no blank line), no mathematics."""
    line = html.escape(encodable(" ".join(message.split())))
    return line.translate({ord("$"): "＄", ord("\\"): "⧵"})


def _parsed(entry: object) -> Problem | None:
    if not isinstance(entry, dict):
        return None
    message, cell = entry.get("message"), entry.get("cell")
    if not isinstance(message, str) or not isinstance(cell, str | None):
        return None
    try:
        return Problem(Kind(entry["kind"]), Severity(entry["severity"]), message, cell)
    except (KeyError, ValueError, TypeError):
        return None
