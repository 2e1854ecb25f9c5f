"""What a kernel sends back: how much of it is kept, and what of it scores.

Everything in a message was written by student code. `OutputBudget` bounds what one cell may store;
`settle` leaves outputs that a notebook file can hold and that nbgrader scores as they are meant.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

from hw_support.submission.problems import encodable, shown

_MESSAGE_OVERHEAD = 200  # bytes that the empty message takes
_LONGEST_TEXT = 20_000  # characters of an error's message, or of a result beyond the limit
_LONGEST_FRAME = 5_000  # characters of one frame of a traceback
_MOST_FRAMES = 100
_STORE_NOTHING = ("status", "execute_input", "comm_msg", "comm_close")


class Flow(Enum):
    """What is to be done about a cell that sends a message."""

    FINE = auto()
    FULL = auto()  # its limit is used up, just now
    DROPPED = auto()
    FLOOD = auto()  # it sent 50 times its limit: it will not end by itself
    TORRENT = auto()  # and 500 times


class OutputBudget:
    """Counts what one cell stores, and cuts down what is beyond its limit.

    Output that replaces other output (`clear_output`, `update_display_data`) is counted once, so
    that a plot that is redrawn 600 times is no flood.

    Parameters
    ----------
    limit
        Bytes, counted as characters of text with a flat rate for each message.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.stored = 0
        self.dropped = 0
        self._displays: dict[str, int] = {}

    def take(self, msg: dict[str, Any], places: dict[str, dict[int, list[int]]]) -> Flow:
        """Count a message, and shorten its content where it must not be lost.

        Parameters
        ----------
        msg
            A message of the IOPub channel; changed in place.
        places
            nbclient's map of display ids: id to cell to the positions of its outputs.

        Returns
        -------
        Flow
            What is `FINE` is to be processed. Of the rest, only errors and results are: the one
            must fail a test, the other may be its score.
        """
        kind, content = msg["msg_type"], msg["content"]
        if kind in _STORE_NOTHING:
            return Flow.FINE
        if kind == "clear_output":
            self.stored = 0
            return Flow.FINE
        if kind == "error":
            content["evalue"] = str(content.get("evalue", ""))[:_LONGEST_TEXT]
            frames = [str(frame)[:_LONGEST_FRAME] for frame in content.get("traceback", [])]
            content["traceback"] = frames[-_MOST_FRAMES:]
        growth = self._growth(msg, places)
        if self.stored + growth <= self.limit:
            self.stored += growth
            return Flow.FINE
        if kind == "execute_result":
            text = str(content.get("data", {}).get("text/plain", ""))[:_LONGEST_TEXT]
            content["data"] = {"text/plain": text}
        first = not self.dropped
        self.dropped += max(growth, 1)
        if first:
            return Flow.FULL
        if self.dropped > 500 * self.limit:
            return Flow.TORRENT
        return Flow.FLOOD if self.dropped > 50 * self.limit else Flow.DROPPED

    def _growth(self, msg: dict[str, Any], places: dict[str, dict[int, list[int]]]) -> int:
        size = _MESSAGE_OVERHEAD + _text_size(msg["content"])
        transient = msg["content"].get("transient")
        display_id = transient.get("display_id") if isinstance(transient, dict) else None
        if not isinstance(display_id, str):
            return size
        if msg["msg_type"] == "update_display_data":
            replaced = sum(map(len, places.get(display_id, {}).values()))
            size = size * replaced - self._displays.get(display_id, 0)
        self._displays[display_id] = self._displays.get(display_id, 0) + size
        return size


def settle(cell: NotebookNode) -> None:
    """Drop the outputs that no notebook file can hold."""
    outputs = [_encodable_tree(output) for output in cell.outputs]
    cell.outputs = [output for output in outputs if _is_valid(output)]
    if type(cell.execution_count) is not int or cell.execution_count < 0:
        cell.execution_count = None


def settle_test(
    cell: NotebookNode, verdict: list[dict[str, Any]] | None, stopped: str
) -> str | None:
    """Give a test cell the outputs by which nbgrader scores it.

    Parameters
    ----------
    cell
        The test cell.
    verdict
        The examiner's outputs; None if it gave none.
    stopped
        Why not.

    Returns
    -------
    str or None
        What is wrong with the verdict, for which the test fails; None if nothing is.
    """
    cell.outputs = [new_output(**output) for output in verdict or ()]
    cell.execution_count = None
    settle(cell)
    if verdict is None:
        _fail(cell, f"not run to its end: {stopped}")
        return None
    why = _why_no_score(cell, float(cell.metadata.nbgrader["points"]))
    if why:
        _fail(cell, why)
    return why


def _fail(cell: NotebookNode, why: str) -> None:
    """Put an error before a test's outputs: the first that nbgrader understands decides."""
    error = new_output("error", ename="NotScored", evalue=why, traceback=[f"NotScored: {why}"])
    cell.outputs.insert(0, error)


def _why_no_score(cell: NotebookNode, points: float) -> str | None:
    """Say why nbgrader could not score a test's outputs, or would score them wrongly.

    nbgrader looks at the first error or result. A result that is a number is the score; nbgrader
    raises where the number is too large or the text is missing, and gives full marks for NaN and
    for negative numbers. Any other result means full marks, and stays.
    """
    deciding = (o for o in cell.outputs if o.output_type in ("error", "execute_result"))
    output = next(deciding, None)
    if output is None or output.output_type == "error":
        return None
    text = output.data.get("text/plain")
    text = "".join(text) if isinstance(text, list) else text
    if not isinstance(text, str) or not text:
        return "returned a result without a text"
    try:
        score = float(text)
    except ValueError:
        return None
    if 0 <= score <= points:
        return None
    return f"returned {shown(text, 30)}, expected a score from 0 to {points:g}"


def _encodable_tree(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return NotebookNode({encodable(str(k)): _encodable_tree(v) for k, v in value.items()})
    if isinstance(value, list):
        return [_encodable_tree(v) for v in value]
    return value


def _is_valid(output: NotebookNode) -> bool:
    try:
        nbformat.validate(output, ref="output", version=4)
    except (OSError, MemoryError):  # nbformat reads its schema when it is first asked
        raise
    except Exception:  # of several libraries, and of recursion
        return False
    return True


def _text_size(content: Any) -> int:
    """Count the characters of all texts in a tree of JSON values."""
    size, stack = 0, [content]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, dict):
            stack += [*value, *value.values()]
        elif isinstance(value, list):
            stack += value
        else:
            size += 8
    return size
