"""The outputs of cells: how many are kept, and the score and the parts that they give a test.

Student code may have written everything in a message. `Outputs` keeps only outputs that a notebook
file can contain, within a limit. `settle` replaces what shows a hidden test. `settle_test` makes
sure that nbgrader scores a test correctly. `parts_of` returns the result of a settled cell as data.
"""

import functools
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import fastjsonschema
import nbformat.v4
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from hw_grading.gradebook.graded_notebook import error_of, errors_in
from hw_grading.homework.cells import is_test
from hw_grading.outcome import Part
from hw_support.checks import EXCUSED, SECOND_TRY
from hw_support.submission.cells import grade_id_of, text_of
from hw_support.submission.problems import encodable, plain, quoted

_OVERHEAD = 700  # bytes that an output costs besides its size, unless it continues printed text
_LONGEST_BEYOND = 500  # characters that are kept of an output beyond the limit
_SHORTEST_HIDDEN = 6  # characters of a line of a hidden test that is looked for in outputs
_HIDDEN = "(a line of a hidden test)\n"
_LONGEST_NAME, _LONGEST_MESSAGE = 120, 1_000  # characters of a part
_MAX_PARTS = 200  # of one test
_FIELDS = {
    "display_data": ("data", "metadata"),
    "error": ("ename", "evalue", "traceback"),
    "execute_result": ("data", "metadata", "execution_count"),
    "stream": ("name", "text"),
}


@dataclass
class _Kept:
    output: NotebookNode
    size: int  # bytes
    display_id: object = None


class Outputs:
    """The outputs of one cell, made of its messages; those beyond a limit in bytes are dropped.

    Output that replaces other output (`clear_output`, `update_display_data`) takes its place. So a
    plot may be redrawn 600 times. Beyond the limit, one output of each kind that decides a score is
    kept, shortened: people look for these first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: list[_Kept] = []
        self._beyond: dict[str, NotebookNode] = {}  # by kind
        self._is_cleared_later = False
        self.size = self.dropped = 0  # bytes

    def take(self, kind: str, content: Mapping[str, Any]) -> None:
        """Process a message. Kinds that make no output are ignored."""
        display_id = (content.get("transient") or {}).get("display_id")
        if kind == "clear_output":
            self._is_cleared_later = bool(content.get("wait"))
            if not self._is_cleared_later:
                self._clear()
        elif kind == "update_display_data":
            new = {field: content.get(field) for field in _FIELDS["display_data"]}
            for kept in self._kept if display_id is not None else ():
                mine = kept.display_id == display_id
                if mine and not self._put(NotebookNode(kept.output, **new), kept):
                    break  # one message must not be tried for thousands of outputs
        elif kind in _FIELDS:
            if self._is_cleared_later:
                self._is_cleared_later = False
                self._clear()
            fields = {field: content.get(field) for field in _FIELDS[kind]}
            self._put(
                NotebookNode(output_type=kind, **fields), _Kept(NotebookNode(), 0, display_id)
            )

    def has_error(self, name: object) -> bool:
        """Return whether an error with this name was sent."""
        sent = [*(kept.output for kept in self._kept), *self._beyond.values()]
        return any(output.get("ename") == name for output in sent)

    def all(self) -> list[NotebookNode]:
        """Return what is kept. Printed text that came in pieces is joined."""
        sent = [*(kept.output for kept in self._kept), *self._noted(), *self._beyond.values()]
        outputs: list[NotebookNode] = []
        for (kind, _), group in groupby(
            sent, lambda output: (output.output_type, output.get("name"))
        ):
            first, *rest = group
            if kind == "stream":
                first = NotebookNode(first, text="".join(text_of(o.text) for o in (first, *rest)))
                rest = []
            outputs += [first, *rest]
        return outputs

    def _clear(self) -> None:
        self._kept.clear()
        self.size = 0

    def _put(self, output: NotebookNode, place: _Kept) -> bool:
        """Put an output into its place, which may be new; return whether it fits there."""
        if not _is_valid(output):
            return False
        last = self._kept[-1].output if self._kept else NotebookNode()
        continues = output.output_type == "stream" and output.name == last.get("name")
        size = _size(output, self._limit) + (0 if continues else _OVERHEAD)
        if self.size - place.size + size > self._limit:
            self.dropped += size
            self._keep_beyond(output)
            return False
        if not place.output:
            self._kept.append(place)
        self.size += size - place.size
        place.output, place.size = output, size
        return True

    def _keep_beyond(self, output: NotebookNode) -> None:
        def cut(text: object) -> str:
            return text_of(text)[:_LONGEST_BEYOND]

        kind = output.output_type
        if kind == "error":
            output.evalue, output.ename = cut(output.evalue), cut(output.ename)
            output.traceback = [cut(frame) for frame in output.traceback[-1:]]
        elif kind == "execute_result":
            output.data, output.metadata = (
                {"text/plain": cut(output.data.get("text/plain", ""))},
                {},
            )
        elif kind == "stream" and output.name == "stderr":
            output.text = cut(output.text)
        else:
            return
        self._beyond.setdefault(kind, output)

    def _noted(self) -> list[NotebookNode]:
        if not self.dropped:
            return []
        note = f"\n… output beyond {self._limit:,} bytes was dropped\n"
        return [NotebookNode(output_type="stream", name="stdout", text=note)]


def _size(output: NotebookNode, limit: int) -> int:
    """Return the bytes of a notebook's file that has only this output; beyond the limit, fewer."""
    at_least = len(json.dumps(output, ensure_ascii=False))
    if at_least > limit:
        return at_least
    cell = NotebookNode(cell_type="code", metadata={}, source="", outputs=[output])
    alone = NotebookNode(nbformat=4, nbformat_minor=5, metadata=NotebookNode(), cells=[cell])
    return len(nbformat.v4.writes(alone).encode("utf-8", "replace"))


def _is_valid(output: NotebookNode) -> bool:
    validate = output_validator()
    try:
        validate(output)
    except MemoryError:  # the grader's fault
        raise
    except Exception:  # errors of several libraries, and RecursionError
        return False
    return True


@functools.cache
def output_validator() -> Callable[[Any], Any]:
    """Return a function that raises an exception for an output that no notebook can contain.

    `nbformat.validate` takes 100 times as long for a single output.
    """
    version = nbformat.v4.nbformat, nbformat.v4.nbformat_minor
    file = Path(nbformat.v4.__file__).with_name(nbformat.v4.nbformat_schema[version])
    whole = json.loads(file.read_text(encoding="utf-8"))
    parts = {key: whole[key] for key in ("$schema", "definitions")}
    schema = {**parts, "$ref": "#/definitions/output"}
    validate: Callable[[Any], Any] = fastjsonschema.compile(schema)
    return validate


# -- hidden tests


def settle(cell: NotebookNode, hidden: Collection[str] = ()) -> None:
    """Make texts that a file can contain, and replace lines that show one of the `hidden` lines."""
    cell.outputs = _cleaned(cell.outputs, hidden)


def hidden_lines(released: Mapping[str, str]) -> set[str]:
    """Return the lines that students do not get; `released` has the texts that they get.

    Very short lines are left out: they tell nothing, and may stand in any output.
    """
    given = {line.strip() for text in released.values() for line in text.splitlines()}
    lines = {line.strip() for source in released for line in source.splitlines()} - given
    return {line for line in lines if len(line) >= _SHORTEST_HIDDEN}


def hide_source(cell: NotebookNode, released: str) -> None:
    """Give a test cell the text that students have, and cut its own lines from its tracebacks."""
    if cell.source == released:
        return
    cell.source = released
    own = f"Cell In[{cell.execution_count}]"
    for error in cell.outputs:
        if error.output_type == "error":
            kept = [f for f in error.traceback if not strip_ansi(f).lstrip().startswith(own)]
            error.traceback = kept or [f"{error.ename}: {error.evalue}"]


def _cleaned(value: Any, hidden: Collection[str]) -> Any:
    if isinstance(value, str):
        text = encodable(value)
        if hidden and _shows(text, hidden):
            lines = text.splitlines(keepends=True)
            return "".join(_HIDDEN if _shows(line, hidden) else line for line in lines)
        return text
    if isinstance(value, dict):
        return NotebookNode({encodable(str(k)): _cleaned(v, hidden) for k, v in value.items()})
    if isinstance(value, list):
        return [_cleaned(v, hidden) for v in value]
    return value


def _shows(text: str, hidden: Collection[str]) -> bool:
    bare = strip_ansi(text)
    return any(line in bare for line in hidden)


# -- scores and parts


def settle_test(cell: NotebookNode, unfinished: str) -> str:
    """Make sure that nbgrader can score the outputs of a test cell.

    `unfinished` says why the cell did not run to its end; "" if it did. Return what is wrong with
    the outputs of a finished test, so that it scores 0; "" if nothing is wrong.
    """
    why = "" if unfinished else _why_no_score(cell)
    if said := f"did not finish: {unfinished}" if unfinished else why:
        cell.outputs.insert(0, not_scored(said))  # nbgrader scores the first error or result
    return why


def not_scored(why: str) -> NotebookNode:
    """Return the error that stands for a test's missing outputs."""
    shown = {"ename": "NotScored", "evalue": why, "traceback": [f"NotScored: {why}"]}
    return NotebookNode(output_type="error", **shown)


def loses_points(cell: NotebookNode) -> bool:
    """Return whether a settled test has less than all of its points."""
    score, most = determine_grade(cell)
    return bool((score or 0.0) < most)


def _why_no_score(cell: NotebookNode) -> str:
    """Return why nbgrader would raise an exception for a test's outputs; "" if it has a score."""
    try:
        determine_grade(cell)
    except ValueError:
        result = next(o for o in cell.outputs if o.output_type == "execute_result")
        text = quoted(text_of(result.data["text/plain"]), 30)
        return f"returned {text}, expected a score from 0 to {cell.metadata.nbgrader['points']:g}"
    except (LookupError, AttributeError, TypeError):
        return "returned a result without a text"
    return ""


def parts_of(cell: NotebookNode, examined: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    """Yield the parts of a settled code cell with a grade id.

    `examined` has the parts of a test, as in a `hw_grading.examiner.client.Verdict`. A test without
    parts is one part with nbgrader's score. Another cell is one part if it ended in an error,
    unless it has no answer yet.
    """
    name = grade_id_of(cell) or ""
    errors = errors_in(cell)
    message = error_of(errors[0]) if errors else _said_on_stderr(cell)
    if not is_test(cell):
        if errors and errors[0]["ename"] != "NotImplementedError":
            yield Part(name, name, 0.0, 0.0, False, message)
        return
    score, most = determine_grade(cell)
    score = 0.0 if score is None else float(score)
    sum_of_parts = sum(part["points"] for part in examined if not part["message"])
    counts = not errors and len(examined) <= _MAX_PARTS and abs(sum_of_parts - score) < 1e-9
    names: Counter[str] = Counter()
    for part in examined[:_MAX_PARTS]:
        what = plain(part["what"], _LONGEST_NAME)
        names[what] += 1
        what += f" ({names[what]})" if names[what] > 1 else ""
        passed = not part["message"]
        earned = part["points"] if counts and passed else 0.0
        remark = SECOND_TRY if part["second_try"] else EXCUSED if part["excused"] else ""
        said = plain(part["message"] or remark, _LONGEST_MESSAGE)
        yield Part(name, what, part["points"], earned, passed, said, part["fresh"])
    if examined and not counts:
        yield Part(name, name, 0.0, score, not errors, message)
    elif not examined:
        passed = not errors and score >= most
        yield Part(name, name, most, score, passed, "" if passed else message)


def _said_on_stderr(cell: NotebookNode) -> str:
    said = next((o.text for o in cell.outputs if o.get("name") == "stderr"), "")
    return f"printed to stderr: {plain(said, _LONGEST_MESSAGE)}" if said else ""
