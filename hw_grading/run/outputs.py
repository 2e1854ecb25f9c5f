"""The outputs that a kernel sends: how many are kept, and how nbgrader scores them.

Student code may have written everything in a message. `OutputBudget` limits the outputs that one
cell may store. `settle` keeps only outputs that a notebook file can contain. `settle_test` makes
sure that nbgrader scores them correctly. `parts_of` returns the result of a settled cell as data.
"""

import functools
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import groupby
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

import fastjsonschema
import nbformat
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

_MESSAGE_OVERHEAD = 200  # bytes that an empty message takes
_OUTPUT_OVERHEAD = 1_000  # the cost in bytes of processing and storing an output, besides its size
_LONGEST_TEXT = 20_000  # characters of an error's message
_LONGEST_FRAME = 5_000  # characters of one frame of a traceback
_MAX_FRAMES = 100
_LONGEST_BEYOND = 500  # characters that are kept of an error or a result beyond the limit
_MAX_REPLACED = 100  # outputs that one message may replace
_SHORTEST_HIDDEN = 6  # characters of a line of a hidden test that is looked for in outputs
_HIDDEN = "(a line of a hidden test)\n"
_LONGEST_NAME, _LONGEST_MESSAGE = 120, 1_000  # characters of a part
_MAX_PARTS = 200  # of one test
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # the file stores each line as an entry
_FIELDS = {
    "display_data": ("data", "metadata"),
    "error": ("ename", "evalue", "traceback"),
    "execute_result": ("data", "metadata", "execution_count"),
    "stream": ("name", "text"),
}
_STORE_NOTHING = ("status", "execute_input", "comm_msg", "comm_close")


class Flow(Enum):
    """What to do with a message of a cell, and with the cell."""

    FINE = auto()
    FULL = auto()  # this is the first message beyond the limit
    DROPPED = auto()  # a later one
    FLOOD = auto()  # the cell sent 50 times its limit: interrupt it
    TORRENT = auto()  # the cell sent 500 times its limit: kill its kernel


class OutputBudget:
    """Counts the outputs that one cell stores, and shortens or drops those beyond its limit.

    Output that replaces other output (`clear_output`, `update_display_data`) is counted once. So a
    plot may be redrawn 600 times. The limit is in bytes of the notebook's file, with a fixed
    overhead for each output. `left` is what the submission may still store, if it has a limit.
    """

    def __init__(self, limit: int, left: int | None = None) -> None:
        self._flood = limit  # floods are measured by the cell's own limit
        self.limit = limit if left is None else max(0, min(limit, left))
        self.stored = 0  # bytes
        self._updated = 0  # bytes of these that may be in other cells, which this one cannot clear
        self.dropped = 0  # bytes
        self._displays: dict[str, int] = {}  # bytes by display id
        self._stream: Any = None  # the name of the last stream that was written to

    def take(self, msg: dict[str, Any], places: dict[str, dict[int, list[int]]]) -> Flow:
        """Count a message. Beyond the limit, shorten its content if it is an error or a result.

        A message that is `FINE` has to be processed. Beyond the limit, only errors and results may
        be processed: people look for these first. `places` is nbclient's map of display ids: id to
        cell to the positions of its outputs.
        """
        kind, content = msg["msg_type"], msg["content"]
        if kind in _STORE_NOTHING:
            return Flow.FINE
        if kind == "clear_output":
            self.stored = self._updated
            self._displays.clear()
            return Flow.FINE
        if kind == "error":
            _shorten_error(content, _LONGEST_TEXT, _LONGEST_FRAME, _MAX_FRAMES)
        growth, display_id = self._growth(msg, places)
        if self.stored + growth <= self.limit:
            self.stored += growth
            self._updated += growth * (kind == "update_display_data")
            if display_id is not None:
                self._displays[display_id] = self._displays.get(display_id, 0) + growth
            return Flow.FINE
        if kind == "error":
            _shorten_error(content, _LONGEST_BEYOND, _LONGEST_BEYOND, 1)
        if kind == "execute_result":
            text = str(content.get("data", {}).get("text/plain", ""))[:_LONGEST_BEYOND]
            content["data"], content["metadata"] = {"text/plain": text}, {}
        first = not self.dropped
        self.dropped += max(growth, 1)
        if first:
            return Flow.FULL
        if self.dropped > 500 * self._flood:
            return Flow.TORRENT
        return Flow.FLOOD if self.dropped > 50 * self._flood else Flow.DROPPED

    def _growth(
        self, msg: dict[str, Any], places: dict[str, dict[int, list[int]]]
    ) -> tuple[int, str | None]:
        """Return the bytes that a message adds, and the id of the display that it belongs to.

        A message that replaces a larger output adds no bytes, and frees none: a display counts with
        the largest size that it ever had.
        """
        kind, content = msg["msg_type"], msg["content"]
        stream = content.get("name", "stdout") if kind == "stream" else None
        joined = stream is not None and stream == self._stream
        self._stream = stream
        size = _MESSAGE_OVERHEAD if joined else _OUTPUT_OVERHEAD
        size += _written_size(content, self.limit)
        transient = content.get("transient")
        display_id = transient.get("display_id") if isinstance(transient, dict) else None
        if not isinstance(display_id, str):
            return size, None
        if kind == "update_display_data":
            replaced = sum(map(len, places.get(display_id, {}).values()))
            if replaced > _MAX_REPLACED:
                return self.limit + size, display_id
            size = max(0, size * replaced - self._displays.get(display_id, 0))
        return size, display_id


def _shorten_error(content: dict[str, Any], text: int, frame: int, most_frames: int) -> None:
    for key in ("ename", "evalue"):
        content[key] = str(content.get(key, ""))[:text]
    frames = [str(lines)[:frame] for lines in content.get("traceback") or []]
    content["traceback"] = frames[-most_frames:]


def from_message(msg: dict[str, Any]) -> NotebookNode | None:
    """Return the output in a kernel's message; None if no notebook can contain it."""
    kind, content = msg["msg_type"], msg["content"]
    output = NotebookNode(output_type=kind)
    for field in _FIELDS.get(kind, ()):
        output[field] = content.get(field)
    return output if _is_valid(output) else None


def settle(cell: NotebookNode, hidden: Collection[str] = ()) -> None:
    """Join printed text that came in pieces, and drop outputs that a notebook cannot contain.

    Lines that show one of the `hidden` lines of tests are replaced.
    """
    outputs = [_cleaned(output, hidden) for output in _joined(cell.outputs)]
    cell.outputs = [output for output in outputs if _is_valid(output)]
    if type(cell.execution_count) is not int or cell.execution_count < 0:
        cell.execution_count = None


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    joined: list[NotebookNode] = []
    for stream, pieces in groupby(outputs, _stream_of):
        first, *rest = pieces
        if stream is not None:
            first["text"] = "".join(piece["text"] for piece in (first, *rest))
            rest = []
        joined += [first, *rest]
    return joined


def _stream_of(output: NotebookNode) -> str | None:
    is_text = output.get("output_type") == "stream" and isinstance(output.get("text"), str)
    return str(output.get("name")) if is_text else None


def settle_test(cell: NotebookNode, unfinished: str) -> str:
    """Make sure that nbgrader can score the outputs of a test cell, before `settle`.

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
    counts = not errors and _sum_is(score, examined)
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


def _sum_is(score: float, examined: Sequence[Mapping[str, Any]]) -> bool:
    earned = sum(part["points"] for part in examined if not part["message"])
    return len(examined) <= _MAX_PARTS and abs(earned - score) < 1e-9


def _said_on_stderr(cell: NotebookNode) -> str:
    said = next((o.text for o in cell.outputs if o.get("name") == "stderr"), "")
    return f"printed to stderr: {plain(said, _LONGEST_MESSAGE)}" if said else ""


def _cleaned(value: Any, hidden: Collection[str]) -> Any:
    """Return JSON values whose texts can be encoded and show no hidden line."""
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


def _written_size(content: Any, limit: int) -> int:
    """Estimate how many bytes JSON values take in a notebook's file.

    In the file each entry and each line of a text is a separate line, indented by its depth. Most
    control characters take six bytes. Counting stops beyond the limit.
    """
    size, stack = 0, [(content, 6)]
    while stack and size <= limit:
        value, depth = stack.pop()
        size += depth + 2
        if isinstance(value, str):
            size += len(value)
            if size <= limit:
                size += len(encode_basestring(value).encode("utf-8", "replace")) - len(value)
                size += (depth + 4) * sum(map(value.count, _LINE_ENDS))
        elif isinstance(value, dict):
            size += depth + 2
            stack += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            size += depth + 2
            stack += [(entry, depth + 1) for entry in value]
        else:
            size += len(str(value))
    return size
