"""Which outputs of a cell are kept, and which words they give a test."""

import copy
import json
import tracemalloc
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from toy_course import check

from hw_grading.run.outputs import Outputs
from hw_grading.run.scores import hide_source, said_in

DISPLAYED = {"transient": {"display_id": "d"}, "metadata": {}}
STREAM, DISPLAY, UPDATE = "stream", "display_data", "update_display_data"


def text(size: int) -> dict[str, Any]:
    return {"name": "stdout", "text": "y" * size}


def shown(size: int) -> dict[str, Any]:
    return {**DISPLAYED, "data": {"text/plain": "x" * size}}


def sent(limit: int, *messages: tuple[str, dict[str, Any]]) -> Outputs:
    outputs = Outputs(limit)
    for kind, content in messages:
        outputs.take(kind, copy.deepcopy(content))
    return outputs


def size_in_a_file(outputs: list[NotebookNode]) -> int:
    nb = new_notebook(cells=[new_code_cell(outputs=outputs)])
    nbformat.validate(nb)
    return len(nbformat.writes(nb).encode())


DEEP, TOO_DEEP = (json.loads("[" * n + "1" + ", 1" * 99 + "]" * n) for n in (100, 300))


@pytest.mark.parametrize(
    "data",
    [
        {"text/plain": "\x01" * 5_000},
        {"text/plain": "\u2028" * 5_000},
        {"text/plain": "é😀" * 5_000},
        {"text/plain": '"\\' * 5_000},
        {"application/json": DEEP},
        {"application/json": [12345678901234567890] * 1_000},
        {},
    ],
    ids=lambda data: repr(data)[:50],
)
def test_kept_outputs_fill_their_room_in_the_file(data: dict[str, Any]) -> None:
    outputs = sent(300_000, *[(DISPLAY, {"metadata": {}, "data": data})] * 400)
    assert outputs.dropped
    assert 20_000 < size_in_a_file(outputs.all()) <= 300_000


@pytest.mark.parametrize(
    ("messages", "dropped"),
    [
        ([("clear_output", {}), (DISPLAY, shown(50_000))] * 100, False),
        ([("clear_output", {"wait": True}), (DISPLAY, shown(50_000))] * 100, False),
        ([(DISPLAY, shown(1)), *[(UPDATE, shown(50_000)), (UPDATE, shown(1))] * 300], False),
        ([(DISPLAY, shown(50_000))] * 2, True),
        ([(DISPLAY, shown(1))] * 3 + [(UPDATE, shown(40_000))], False),
        ([(UPDATE, shown(200_000))], False),  # of a display in another cell
        ([("clear_output", {"wait": True})] * 2 + [(STREAM, text(90_000))] * 2, True),
        ([(STREAM, text(0))] * 1_000, True),
        ([(STREAM, text(0))] * 500, False),  # pieces of one output
        ([(STREAM, text(0)), (DISPLAY, shown(0))] * 60, True),
        ([("comm_msg", {"data": "x" * 200_000}), ("status", {})], False),
    ],
)
def test_only_output_that_replaces_none_takes_room(
    messages: list[tuple[str, dict[str, Any]]], dropped: bool
) -> None:
    outputs = sent(100_000, *messages)
    assert bool(outputs.dropped) is dropped
    assert size_in_a_file(outputs.all()) < 101_000


def test_an_update_replaces_the_first_display_with_its_id() -> None:
    outputs = sent(10_000, (DISPLAY, shown(1)), (DISPLAY, shown(2)), (UPDATE, shown(3)))
    assert [len(output.data["text/plain"]) for output in outputs.all()] == [3, 2]


def test_a_large_output_is_dropped_with_little_memory() -> None:
    outputs = Outputs(500_000)
    data = {"application/json": [*range(200_000)]}
    tracemalloc.start()
    outputs.take("display_data", {"data": data, "metadata": {}})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 6_000_000
    assert outputs.dropped < 2_000_000
    [note] = outputs.all()
    assert "was dropped" in note.text


def test_what_decides_a_score_is_kept_beyond_the_limit() -> None:
    error = {"ename": "E", "evalue": "e" * 10**6, "traceback": ["t" * 10**6] * 5}
    data = {"text/plain": "1.5", "text/html": "h" * 10**6}
    result = {"data": data, "metadata": {}, "execution_count": 1}
    loud = {"name": "stderr", "text": "w" * 10**6}
    some = [("error", error), ("execute_result", result), (STREAM, loud), (DISPLAY, shown(10**6))]
    outputs = sent(10_000, *some * 3)
    *kept, note = outputs.all()
    assert "output beyond 10,000 bytes was dropped" in note.text
    assert [o.output_type for o in kept] == ["error", "execute_result", "stream"]
    assert (len(kept[0].evalue), len(kept[0].traceback)) == (500, 1)
    assert kept[1].data == {"text/plain": "1.5"}


@pytest.mark.parametrize(
    "odd",
    [
        ("error", {"ename": 1, "evalue": "", "traceback": []}),
        (STREAM, {"text": ["a", 1]}),
        (DISPLAY, {"data": "text", "metadata": {}}),
        ("execute_result", {"data": {"text/plain": "1"}}),
        (DISPLAY, {"data": {"application/json": TOO_DEEP}, "metadata": {}}),
    ],
)
def test_an_output_that_no_notebook_can_contain_is_ignored(odd: Any) -> None:
    assert sent(1_000, odd).all() == []


def test_text_printed_piece_by_piece_is_one_output() -> None:
    names = ["stdout", "stdout", "", "stderr", "stderr", "stdout"]
    messages = [(STREAM, {"name": n, "text": "ab"}) if n else (DISPLAY, shown(1)) for n in names]
    said = [(o.get("name"), o.get("text")) for o in sent(10_000, *messages).all()]
    assert said == [("stdout", "abab"), (None, None), ("stderr", "abab"), ("stdout", "ab")]


WAIT = "clear_output", {"wait": True}
CLEAR = "clear_output", {"wait": False}


@pytest.mark.parametrize(
    ("messages", "kept"),
    [
        ([CLEAR], []),
        ([CLEAR, (STREAM, text(2))], ["yy"]),
        ([WAIT], ["y"]),
        ([WAIT, ("status", {})], ["y"]),
        ([WAIT, (STREAM, text(2))], ["yy"]),
        ([WAIT, (STREAM, text(2)), (STREAM, text(3))], ["yyyyy"]),
        ([WAIT, CLEAR, (STREAM, text(2)), (STREAM, text(3))], ["yyyyy"]),
    ],
)
def test_output_is_cleared_at_once_or_when_more_comes(
    messages: list[tuple[str, dict[str, Any]]], kept: list[str]
) -> None:
    outputs = sent(10_000, (STREAM, text(1)), *messages)
    assert [output.text for output in outputs.all()] == kept


def test_cleared_output_leaves_all_of_its_room() -> None:
    one = STREAM, text(500)
    limit = sent(10_000, one).size
    full = sent(limit, one, ("clear_output", {}), one)
    assert (full.size, full.dropped) == (limit, 0)
    assert sent(limit - 1, one).dropped


def test_text_of_another_alphabet_takes_its_room_in_the_file() -> None:
    outputs = sent(300_000, *[(STREAM, {"name": "stdout", "text": "é😀" * 500})] * 200)
    assert size_in_a_file(outputs.all()) > 250_000


def test_text_that_no_file_can_hold_is_replaced() -> None:
    [output] = sent(9_000, (STREAM, {"name": "stdout", "text": "a\ud800"})).all()
    assert output.text == "a?"


# -- what is said of a test


def ran(source: str, *outputs: NotebookNode) -> NotebookNode:
    """A test cell that was run as the first cell."""
    cell = check("test", source)
    cell.execution_count, cell.outputs = 1, copy.deepcopy([*outputs])
    return cell


def error(name: str, message: str, *lines: int) -> NotebookNode:
    """An error that came through lines of the cell, and then through the student's function."""
    own = [f"\x1b[0mCell In[1], line {line}\nassert f(15)" for line in lines]
    frames = [*own, "Cell In[9], line 7, in f(x)\nreturn x", f"{name}: {message}"]
    return new_output("error", ename=name, evalue=message, traceback=frames)


STDERR = new_output("stream", name="stderr", text="a warning\n")
STDOUT = new_output("stream", name="stdout", text="-7")
WRONG = error("AssertionError", "wrong", 2)


UNWRITTEN = error("NotImplementedError", "", 5)


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ([WRONG], "line 2: AssertionError: wrong"),
        ([error("ValueError", "deep", 2, 4)], "line 4: ValueError: deep"),
        ([WRONG, error("ValueError", "later", 3)], "line 2: AssertionError: wrong"),
        ([error("ValueError", "not here")], "ValueError: not here"),
        ([UNWRITTEN], "NotImplementedError"),
        ([STDOUT, STDERR], "printed to stderr: a warning"),
        ([STDOUT], ""),
    ],
    ids=lambda outputs: repr(outputs)[:60],
)
def test_what_a_test_says_is_its_first_error_and_line(
    outputs: list[NotebookNode], said: str
) -> None:
    assert said_in(ran("x", *outputs)) == said


HIDDEN = "f(1)\nassert f(15), (\n    15\n)\nassert f(16)\nassert (\n    f(17)\n)"
QUOTED = "f(15), f(15) is 0"


@pytest.mark.parametrize(
    ("source", "line", "kept"),
    [
        (HIDDEN, 1, QUOTED),  # no assert: the words are the student's
        (HIDDEN, 2, QUOTED),  # the instructor's own message
        (HIDDEN, 4, QUOTED),
        (HIDDEN, 5, ""),  # the words that the grader adds to an assert
        (HIDDEN, 7, ""),
        (f"\n \n{HIDDEN}", 5, ""),  # IPython does not count empty lines at the top
        (f"{HIDDEN}\ndef", 5, QUOTED),  # not Python
    ],
)
def test_hidden_lines_leave_with_the_words_that_quote_them(
    source: str, line: int, kept: str
) -> None:
    cell = ran(source, error("AssertionError", QUOTED, 1, line))
    hide_source(cell, "f(1)")
    [shown] = cell.outputs
    assert (cell.source, shown.evalue) == ("f(1)", kept)
    last = f"AssertionError: {kept}" if kept else "AssertionError"
    assert shown.traceback == ["Cell In[9], line 7, in f(x)\nreturn x", last]


def test_an_error_of_hidden_lines_alone_keeps_its_last_line() -> None:
    own = new_output("error", ename="E", evalue="m", traceback=["Cell In[1], line 2\nsecret"])
    cell = ran("f(1)\nsecret", own)
    hide_source(cell, "f(1)")
    assert cell.outputs[0].traceback == ["E: m"]


def test_an_error_that_names_no_line_of_the_test_keeps_its_words() -> None:
    cell = ran("f(1)\nassert f(2)", error("AssertionError", "the student's"))
    hide_source(cell, "f(1)")
    assert cell.outputs[0].evalue == "the student's"


def test_a_test_without_hidden_lines_keeps_its_traceback() -> None:
    cell = ran("f(1)\nassert f(2)", error("AssertionError", QUOTED, 2))
    before = copy.deepcopy(cell)
    hide_source(cell, cell.source)
    assert cell == before
