"""A test cell's session with the notebook: values, calls both ways, limits, a kernel that lies.

The notebook is at the other end of a socket, and answers by the real server, or sends anything.
"""

import contextlib
import copy
import functools
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import types
from collections import namedtuple
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from right_functions import notebook, reference_of
from sessions import Children, Pair, asking, refer

import hw_support
from hw_grading.answering import wire
from hw_grading.answering.serve import CallbackError
from hw_grading.answering.wire import MAX_HEAD, MAX_KEYS, Shipped, Theirs, Yours
from hw_grading.examiner.handles import FunctionHandle, Handle
from hw_grading.examiner.notebook import StudentNames
from hw_grading.examiner.process import run_cell
from hw_grading.examiner.session import Gone, RemoteError, Session
from hw_support import waved
from hw_support.checks import Checks, StaffError
from hw_support.checks.compare import Mismatch, NotPlainData
from hw_support.checks.time_limit import TimeLimitReached, time_limit

# -- names


@pytest.mark.parametrize(
    "source",
    [
        "[student for _ in range(1)][0]",
        "def f():\n    def g():\n        return student\n    return g()\nf()",
        "class C:\n    def value(self):\n        return student\nC().value()",
        "eval('student')",
        "globals()['student']",
        "helper() - 1",
    ],
)
def test_a_name_that_the_test_does_not_bind_is_the_students(source: str) -> None:
    with asking({"student": 7, "helper": lambda: 8}) as names:
        [output] = run_cell(source, "test", names)
        assert output["data"]["text/plain"] == "7.0"


def test_names_of_test_and_python_override_the_students() -> None:
    students = {"len": 1, "own": "a student's", "late": 3}
    with asking(students, own=2) as names:
        assert run_cell("len('ab') + own", "test", names)[0]["data"]["text/plain"] == "4.0"
        own = names.notebook.own
        assert (own("nothing"), own("own", "nothing")) == (None, ["a student's", None])
        run_cell("late = 5", "test", names)
        assert students["late"] == 3
        locked = StudentNames({}, names.notebook._session, ["late"])
        [error] = run_cell("late", "test", locked)
        assert error["ename"] == "NameError"


def test_replaced_names_are_put_back() -> None:
    students: dict[str, Any] = {"g": lambda: "student's", "a": 1}
    students["f"] = lambda: students["g"]()
    with asking(students) as names:
        before = names.notebook.put({"g": lambda: "test's", "new": 1, "a": names.notebook.MISSING})
        assert (names["f"](), names["g"](), names["new"], "a" in students) == (
            *("test's", "test's", 1),
            False,
        )
        names.notebook.put_back(before)
        assert names["f"]() == "student's"
        assert "new" not in names


JUDGED = """
f()
left, entries = number, sum(numbers)
checks = Checks("q")
checks.shows("it", 1, "shown", lambda: f(), of=["f"])
"""


def test_values_are_read_before_the_first_call_of_a_test() -> None:
    students: dict[str, Any] = {"number": 1, "numbers": [1, 2], "shown": 0}

    def f() -> int:
        students.update(number=7, shown=7)
        students["numbers"].append(4)
        return 7

    students["f"] = f
    with asking(students, Checks=Checks) as names:
        run_cell(JUDGED, "test", names)
        assert (names["left"], names["entries"]) == (1, 3)
        assert names["checks"].parts[0].message == "shown: expected 7, got 0"
    with asking(students, Checks=Checks) as names:  # the next test reads them again
        run_cell(JUDGED, "test", names)
        assert (names["left"], names["entries"]) == (7, 1 + 2 + 4 + 4)


def test_a_value_of_the_notebook_is_a_copy_each_time() -> None:
    with asking({"x": [1]}) as names:
        names["x"].append(2)
        assert names["x"] == [1]


def test_a_value_that_cannot_be_sent_leaves_the_others_readable() -> None:
    with asking({"large": np.zeros(7 << 20), "small": 3}) as names:
        [output] = run_cell("(lambda: large)\nsmall", "test", names)
    assert output["data"]["text/plain"] == "3.0"


# -- values


Pair_ = namedtuple("Pair_", "out cache")


class Unpacks:
    def __iter__(self) -> Iterator[Any]:
        return iter([1, np.ones(2)])


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        (Pair_(1, {"a": 1}), [1, {"a": 1}]),
        ((n for n in range(3)), [0, 1, 2]),
        (Unpacks(), [1, np.ones(2)]),
        (np.array([np.ones(2), None], dtype=object), [np.ones(2), None]),
        (np.ma.masked_array([1.0, 2.0]), [1.0, 2.0]),
    ],
)
def test_entries_of_other_objects_come_with_a_handle(value: Any, entries: list[Any]) -> None:
    is_iterator = isinstance(value, types.GeneratorType)
    back: list[Any] = []
    with asking({"get": lambda: value, "take": back.append}) as names:
        seen = names["get"]()
        assert len(seen) == len(entries)
        np.testing.assert_equal(list(seen), entries)
        if isinstance(entries[0], list | float):
            hw_support.assert_close(entries, seen)
        np.testing.assert_equal(seen[0], entries[0])
        names["take"](copy.deepcopy(seen))
    assert back == [entries] if is_iterator else back[0] is value


def test_an_object_without_entries_comes_back_as_itself() -> None:
    thing = object()
    with asking({"thing": thing, "is_it": lambda x: x is thing}) as names:
        assert type(names["thing"]) is Handle
        assert names["is_it"](copy.deepcopy([names["thing"]])[0]) is True


LOOKS = [
    *("{} == 6", "{} != 6", "6 == {}", "{} < 6", "6 <= {}", "{} in (6, 7)", "6 in {}"),
    *("isinstance({}, int)", "{}.__class__", "{}.__doc__", "{}.__name__", "{}.shape", "{}.x"),
    *("len({})", "bool({})", "iter({})", "[*{}]", "{}[0]", "type({}) is int", "type({}).__name__"),
    *("{} - 6", "6 * {}", "-{}", "abs({})", "int({})", "float({})", "round({})", "str({})"),
    *("repr({})", "f'{{{}}}'", "f'{{{}!r}}'", "sum({})", "dict({})", "np.asarray({})"),
    *("np.isclose({}, 6)", "np.shape({})", "np.sum({})", "np.testing.assert_equal({}, 6)"),
    "try: {}.x\n    except Exception: pass",
]
IN_PLACE_OF_NUMBERS = {
    "hw_support.assert_close({}, 6)": "the result: expected numbers",
    "hw_support.as_numbers({}, what='out')": "out: expected numbers",
    "hw_support.results({}, 'out, grad')": "expected 2 results (out, grad), got a",
    "hw_support.expect_each([{}], [np.ones(1)], what='out')": "out[0]: expected numbers",
    "hw_support.expect_normal(lambda dims: {}, [9, 9], std=1)": "expected numbers, or lists",
    "hw_support.expect_layers(give_{}, [9, 9], [(9, 9)])": "expected numbers, or lists",
}


@pytest.mark.parametrize(("name", "kind"), [("thing", "object"), ("f", "function")])
def test_a_part_that_looks_into_an_object_fails(name: str, kind: str) -> None:
    said = f"expected numbers, or lists and arrays of them, got an object of type {kind}"
    due = dict.fromkeys(LOOKS, said) | IN_PLACE_OF_NUMBERS
    source = "checks = Checks('f')\n" + "".join(
        f"@checks.part('part {number}', points=1)\ndef _():\n    {test.format(name)}\n"
        for number, test in enumerate(due)
    )
    students: dict[str, Any] = {"thing": object(), "f": lambda: 6}
    students[f"give_{name}"] = lambda dims: students[name]
    with asking(students, Checks=Checks, np=np, hw_support=hw_support) as names:
        run_cell(source, "test_f", names)
        messages = {
            test: part.message for test, part in zip(due, names["checks"].parts, strict=True)
        }
    assert [test for test in due if not messages[test].startswith(due[test])] == []


def test_a_test_that_ends_with_an_object_ends_in_an_error() -> None:
    with asking({"f": lambda: object()}) as names:
        [error] = run_cell("f()", "test_f", names)
    assert (error["output_type"], error["ename"]) == ("error", "NotPlainData")


def test_an_object_passed_to_a_test_fails_only_its_part() -> None:
    with asking({"apply": lambda f: f(object())}) as names, pytest.raises(NotPlainData):
        names["apply"](lambda x: x.shape)


def test_entries_without_an_end_are_cut() -> None:
    def count() -> Iterator[int]:
        n = 0
        while True:
            yield (n := n + 1)

    class Endless:
        def __iter__(self) -> Iterator[Any]:
            return iter([Endless(), Endless()])

    with asking({"count": lambda: (count(), 1), "endless": Endless}) as names:
        assert len(names["count"]()[0]) == 10_000
        assert len(names["endless"]()) == 2


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    "value", [np.zeros(7 << 20), ["x" * 100] * 100_000, 2**70, {n: n for n in range(20_000)}, LOOP]
)
def test_a_value_that_cannot_be_sent_fails_only_its_call(value: Any) -> None:
    said = "does one of them contain itself" if value is LOOP else "returned value cannot be graded"
    with asking({"f": lambda: value, "x": 1}) as names:
        with pytest.raises(Mismatch, match=said):
            names["f"]()
        assert names["x"] == 1


# -- calls


def test_several_calls_are_one_question() -> None:
    seen: list[int] = []

    def f(x: int) -> int:
        seen.append(x)
        return 10 // x

    with asking({"f": f}) as names:
        calls = names.notebook.calls(names["f"], [[1], [2], [0], [5]], whole=False)
        assert seen == [1, 2, 0]
        assert [calls[0](), calls[1](), calls[0]()] == [10, 5, 10]
        for call in calls[2:]:
            with pytest.raises(ZeroDivisionError):
                call()


def test_results_too_large_for_one_message_come_in_several() -> None:
    with asking({"f": lambda n: np.full(2 << 20, n)}) as names:
        calls = names.notebook.calls(names["f"], [[n] for n in range(7)], whole=False)
        assert [call()[0] for call in calls] == [*range(7)]


def test_a_watched_call_tells_what_it_has_changed() -> None:
    own = np.zeros(2)

    def change(x: Any, network: Any) -> Any:
        x += 1
        network["W"][0].sort()
        network["new"] = len(network)
        own[...] += 1
        return own

    x, network = np.zeros((3, 4))[:, ::2], {"W": ([3, 1], np.ones(2))}
    with asking({"change": change}) as names:
        calls = names.notebook.calls(names["change"], [[x, network]] * 2, whole=True)
        first, second = (call() for call in calls)
    assert (x == 0).all()
    assert (first.arguments[0] == 1).all()
    assert first.arguments[1]["W"][0] == [1, 3]
    assert (first.result.tolist(), first.earlier) == ([1, 1], None)
    assert (second.result.tolist(), second.earlier.tolist()) == ([2, 2], [2, 2])


OF_THE_TEST = """
def visible(x):
    return [f(n) for n in range(3)], g(x)
bound = 2
def needs(x):
    return f(bound), g(x)
def with_default(x, y=1):
    return f(y), g(x)
"""


def test_functions_of_the_test_run_in_the_notebook_if_they_need_nothing_of_the_test() -> None:
    with asking({"f": lambda n: n, "g": lambda x: x + 1}) as names:
        exec(OF_THE_TEST, names)
        [call] = names.notebook.calls(names["visible"], [[6]], whole=True)
        assert call().result == ([0, 1, 2], 7)
        for name in ("visible", "needs", "with_default"):
            [call] = names.notebook.calls(names[name], [[6]], whole=False)
            assert call()[1] == 7
        elsewhere = twice, functools.partial(twice), sum
        for function in (names["needs"], names["with_default"], *elsewhere):
            with pytest.raises(StaffError, match="names of the notebook alone"):
                names.notebook.calls(function, [[6]], whole=True)
        assert names.notebook.calls(twice, [[3]], whole=False)[0]() == 6
        assert names.notebook.call_there(waved, 0.0) == waved(0.0)


def test_what_a_students_function_prints_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    with asking({"f": lambda: print("loud")}) as names:
        names["f"]()
    assert capsys.readouterr().out == ""


# -- the test's functions in the notebook


def test_functions_of_the_test_are_called_back_and_can_come_back() -> None:
    mine = lambda x: names["double"](x) + 1  # noqa: E731
    with asking({"apply": lambda f, x: (f(x), f), "double": lambda x: 2 * x}) as names:
        value, back = names["apply"](mine, 3)
        assert (value, back(4)) == (7, 9)


def twice(x: Any) -> Any:
    return 2 * x


def test_only_functions_that_students_have_are_not_called_back() -> None:
    mine = lambda x: 2 * x  # noqa: E731
    mine.__module__, mine.__name__ = hw_support.__name__, "waved"
    with asking({"apply": lambda f, x: f(x)}) as names:
        for function in (mine, twice):
            assert names["apply"](function, 3) == 6


def test_functions_of_a_test_have_one_name_and_no_source() -> None:
    program = """
import inspect
def look(f):
    try:
        source = inspect.getsource(f)
    except (OSError, TypeError):
        source = None
    code = f.__code__
    told = [f.__name__, f.__qualname__, f.__module__, f.__doc__, source]
    return told + [code.co_name, code.co_qualname, code.co_filename, code.co_firstlineno]
"""
    students: dict[str, Any] = {}
    exec(program, students)

    def a_hidden_test(x: Any) -> Any:
        """Return what is due."""
        return x

    with asking(students) as names:
        told = [names["look"](f) for f in (waved, a_hidden_test, lambda x: 2 * x)]
    assert told[0] == told[1] == told[2]
    assert told[0][:5] == ["function", "function", "<the grader>", None, None]


def test_a_test_functions_exception_passes_the_notebook() -> None:
    class Own(Exception):
        pass

    def fail() -> None:
        raise Own("mine")

    def catch(f: Any) -> str:
        try:
            f()
        except CallbackError as error:
            return str(error)
        return ""

    with asking({"apply": lambda f: f(), "catch": catch}) as names:
        with pytest.raises(Own, match="mine"):
            names["apply"](fail)
        assert names["catch"](fail) == "Own"


def test_a_function_cannot_be_called_after_its_part() -> None:
    kept: list[Any] = []

    def again() -> Any:
        try:
            return kept[0]()
        except (CallbackError, RuntimeError) as error:
            return type(error).__name__

    def in_a_thread() -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(again).result()

    students = {"keep": kept.append, "again": again, "thread": in_a_thread}
    with asking(students) as names:
        names["keep"](lambda: "right")
        assert (names["again"](), names["thread"]()) == ("right", "RuntimeError")
        names.notebook.end_part()
        assert names["again"]() == "CallbackError"
        names.notebook.put({"stays": lambda: "right"})
        kept[:] = [students["stays"]]
        names.notebook.end_part()
        assert names["again"]() == "right"
    assert again() == "RuntimeError"


def test_nested_calls_are_limited() -> None:
    deep: list[int] = []
    with asking({"call": lambda f: f()}) as names:

        def deeper() -> Any:
            deep[-1] += 1
            return names["call"](deeper)

        for _ in range(2):
            deep.append(-1)
            with pytest.raises(Mismatch, match="more than 100 nested calls"):
                deeper()
    assert deep == [100, 100]


# -- exceptions and messages of parts


@pytest.mark.parametrize("kind", [ValueError, KeyError, SystemExit])
def test_an_exception_has_the_name_and_text_of_the_students(kind: type[BaseException]) -> None:
    def f() -> None:
        raise kind("odd")

    with asking({"f": f}) as names, pytest.raises(RemoteError, match="odd") as raised:
        names["f"]()
    assert type(raised.value).__name__ == kind.__name__
    assert isinstance(raised.value, kind) or kind in (KeyError, SystemExit)


NOT_DEFINED = "g is not defined. Did its cell end in an error?"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("f(2)", "line 2 of f: NameError: name 'missing' is not defined"),
        ("apply(lambda y: y / 0)", "line 4 of apply: ZeroDivisionError: division by zero"),
        ("f(*[1, 2])", "TypeError: f() takes 1 positional argument but"),
        ("g(1)", NOT_DEFINED),
        ("checks.notebook.calls(lambda: g(1), [()], whole=False)[0]()", NOT_DEFINED),
    ],
)
def test_what_a_part_says(part: str, message: str) -> None:
    students: dict[str, Any] = {}
    student = "def f(x):\n    return missing(x)\ndef apply(g):\n    return g(2)"
    students["In"] = ["", student]
    exec(compile(student, "<cell 1>", "exec"), students)
    source = f"@checks.part('part', points=1)\ndef _():\n    {part}\n" * 2
    with asking(students, Checks=Checks) as names:
        for own in ("f", "g"):
            exec(f"checks = Checks('{own}')\n{source}", names)
            first, second = (one.message for one in names["checks"].parts)
            assert first.startswith(message)
            assert second.startswith(message)


def test_a_second_try_has_right_functions_until_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = notebook("f(), g()", "def g():\n    return 4", "def f():\n    return 4")
    reference = reference_of(tmp_path, monkeypatch, cells)
    students: dict[str, Any] = {"g": lambda: 1}
    stolen: list[Any] = []
    students["f"] = lambda: stolen.append(students["g"]) or students["g"]()
    students["steal"] = lambda: [function() for function in stolen if function() == 4]
    source = """
checks = Checks("f")
checks.part("right", points=1)(lambda: f() == 4 or 1 / 0)
checks.part("raises", points=1)(lambda: f() / 0)
score = checks.score()
"""
    with asking(students, Checks=Checks) as names:
        names.notebook.points = {("g", "", 0): (0.0, 1.0)}
        names.notebook.reference = reference.at("test")
        exec(source, names)
        assert names["score"] == 1.0
        right, raises = names["checks"].parts
        assert (right.second_try, raises.second_try) == (True, False)
        assert students["g"]() == 1
        with pytest.raises(RuntimeError, match="has ended"):
            names["steal"]()


def test_a_right_function_is_used_and_ends_when_it_replaces_no_name_any_more() -> None:
    stolen: list[Any] = []

    def f(x: list[int]) -> int:
        stolen.append(students["g"])
        x.append(students["g"]())
        return 0

    students: dict[str, Any] = {"g": lambda: 1, "f": f, "steal": lambda: stolen[-1]()}
    with asking(students, test=None) as names:
        exec("def test(x):\n    return f(x) + g()", names)
        with names.notebook.replaced(g=lambda: 4):
            [call] = names.notebook.calls(names["test"], [[[9]]], whole=True)
            called = call()
            assert (called.result, called.arguments) == (4, [[9, 4]])
            assert names["steal"]() == 4
        with pytest.raises(RuntimeError, match="has ended"):
            names["steal"]()


def test_the_parts_of_a_table_share_their_calls() -> None:
    calls: list[int] = []
    source = """
checks = Checks("f", inputs="x", returns="y, z", cases=[(1, 1, 2), (2, 2, 4)])
checks.table("y", 1, "y")
checks.table("z", 1, "z")
checks.untouched("x", 1)
"""
    with asking({"f": lambda x: calls.append(x) or (x, 2 * x)}, Checks=Checks) as names:
        exec(source, names)
        assert all(part.passed for part in names["checks"].parts)
    assert calls == [1, 2, 1, 1, 2, 2]


# -- a kernel that takes too long

STUDENT = """
import socket, sys
from hw_grading.answering.serve import Server

def call(f):
    while True:
        f(1)

def stubborn(f):
    while True:
        try:
            f(1)
        except BaseException:
            pass

names = dict(globals(), same=lambda x: x)
for number in range(10):  # each may take too long once
    names[f"call{number}"] = type(call)(call.__code__, globals())
Server(socket.socket(fileno=int(sys.argv[1])), names).serve()
"""


@contextlib.contextmanager
def process() -> Iterator[tuple[StudentNames, subprocess.Popen[bytes]]]:
    """The real server in a process that gets real signals, with functions that do not end."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-c", STUDENT, str(theirs.fileno())]
        child = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    try:
        session = Session()
        session.begin(ours)
        yield StudentNames({}, session), child
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow
def test_a_function_of_the_test_that_takes_too_long_is_ended() -> None:
    def forever(_: Any) -> None:
        while True:
            pass

    with process() as (names, _), pytest.raises(TimeLimitReached), time_limit(0.2, 600):
        names["call"](forever)
    with process() as (names, child):
        stubborn = names["stubborn"]
        threading.Timer(1.0, child.kill).start()  # as the limit of the cell does
        with pytest.raises(Gone), time_limit(0.2, 600):
            stubborn(forever)


@pytest.mark.slow
def test_an_end_of_time_at_any_moment_leaves_answers_in_step() -> None:
    draw = random.Random(1)
    with process() as (names, child):
        same = names["same"]

        def pester(stop: threading.Event) -> None:
            while not stop.wait(draw.uniform(0.002, 0.01)):
                child.send_signal(signal.SIGALRM)

        for number in range(10):
            call, stop = names[f"call{number}"], threading.Event()
            pest = threading.Thread(target=pester, args=[stop])
            pest.start()
            try:
                with pytest.raises(TimeLimitReached):
                    call(lambda x: x)
            finally:
                stop.set()
                pest.join()
            assert same(number) == number


# -- a kernel that lies

VALUES: Any = ["values", [[1]], None]


@pytest.mark.parametrize(
    "answer",
    [
        *(None, 1, [], ["what"], ["values"], ["values", 1, None], ["values", [], None]),
        *(["values", [], ["late"]], ["values", [], ["late", [1]]], ["values", [], ["late", "f"]]),
        *(["values", [[1, None]], None], ["values", [[1, [0], 2]], None], ["values", [1], None]),
        *(["values", [], ["error", 1]], ["values", [], ["raised", [["f", 1]]]], ["values", [], 1]),
        ["values", [VALUES[1][0]] * 2, None],
        *(["callback", 0, [], {}], ["callback", 7, [], {}], ["callback", True, 1, {}]),
        *(["values", [[Yours(0)]], None], ["callback", 1, [], {1: 1}]),
        *(["values", [[Shipped("os", "system")]], None], ["values", [], ["not again", 1]]),
    ],
)
def test_an_answer_that_does_not_fit_ends_the_session(answer: Any) -> None:
    pair = Pair()
    pair.send(answer)
    function = FunctionHandle(0, "f", pair.session.call)
    for _ in range(2):
        with pytest.raises(Gone, match="it broke the protocol"):
            function(1)


@pytest.mark.parametrize("values", [[[1]], [[1], [2], [3]], [[1], 2], [[1], [2, 3]], [[1], None]])
def test_each_name_has_one_value_or_none(values: list[Any]) -> None:
    pair = Pair()
    pair.send(["values", values, None])
    with pytest.raises(Gone, match="it broke the protocol"):
        pair.session.get(["x", "y"])
    pair = Pair()
    pair.send(["values", [[1], []], None])
    assert pair.session.get(["x", "y"]) == [[1], []]


def test_an_answer_that_fits_is_taken() -> None:
    pair = Pair()
    for value in (3, Theirs(2**40, False, "x y<b>" * 100)):
        pair.send(["values", [[value]], None])
    function = FunctionHandle(0, "f", pair.session.call)
    assert function(1) == 3
    with pytest.raises(NotPlainData, match="type xybxyb") as raised:
        repr(function(1))
    assert len(str(raised.value)) < 400


def test_a_test_may_send_more_than_the_limits_and_a_kernel_may_not() -> None:
    many = {n: n for n in range(MAX_KEYS + 1)}
    pair = Pair()
    pair.send(VALUES)
    assert FunctionHandle(0, "f", pair.session.call)(many) == 1
    for sent in (
        struct.pack(">II", MAX_HEAD + 1, 0),
        b"".join(wire.pack(["values", [[many]], None], refer, limited=False)),
    ):
        pair = Pair()
        pair.far.sendall(sent)
        pair.far.shutdown(socket.SHUT_WR)
        with pytest.raises(Gone, match="it broke the protocol"):
            pair.session.get(["x"])


@pytest.mark.parametrize(
    ("failure", "raised", "said"),
    [
        (["late", ["f"]], TimeLimitReached, "^$"),
        (["not again", "f"], Mismatch, "`f` is not called again: it did not return within"),
        (["refused", "it is deep"], Mismatch, "the returned value cannot be graded: it is deep"),
        (["error", "KeyError", "'a'", "", []], RemoteError, "'a'"),
    ],
)
def test_a_call_that_fails_leaves_the_session_open(
    failure: Any, raised: type[BaseException], said: str
) -> None:
    pair = Pair()
    pair.send(["values", [], failure], VALUES)
    function = FunctionHandle(0, "f", pair.session.call)
    with pytest.raises(raised, match=said):
        function(1)
    assert function(1) == 1


def test_what_did_not_return_is_known_until_the_next_try() -> None:
    pair = Pair()
    pair.send(["values", [], ["late", ["f", "g"]]])
    with pytest.raises(TimeLimitReached):
        FunctionHandle(0, "f", pair.session.call)(1)
    assert pair.session.unreturned == ["f", "g"]
    pair.session.begin(None)
    assert pair.session.unreturned == []
    with pytest.raises(Gone, match="could not start another process"):
        pair.session.get(["x"])


def test_an_object_of_an_earlier_try_is_the_one_of_its_name() -> None:
    students: dict[str, Any] = {"f": lambda: "first", "make": lambda: object(), "same": id}
    children, session = Children(students), Session()
    session.begin(children.begin())
    names = StudentNames({}, session)
    f, nameless = names["f"], names["make"]()
    assert f() == "first"
    session.end()
    with pytest.raises(Gone):
        f()
    students["f"] = lambda: "second"
    session.begin(children.begin())
    assert f() == "second"
    with pytest.raises(Mismatch, match="got one of an earlier test"):
        names["same"](nameless)
    session.end()


def test_a_callback_that_hides_the_end_does_not_undo_it() -> None:
    pair = Pair()

    def hide() -> None:
        with contextlib.suppress(Gone):
            pair.session.get(["x"])

    pair.send(["callback", 0, [], {}], None, VALUES)
    with pytest.raises(Gone):
        FunctionHandle(0, "f", pair.session.call)(hide)


def test_a_connection_that_closes_raises_gone() -> None:
    pair = Pair()
    pair.far.sendall(b"\0\0")
    pair.far.shutdown(socket.SHUT_WR)
    with pytest.raises(Gone, match="its process has ended"):
        pair.session.get(["x"])


# -- texts that look like the report's own lines, and terminal control characters

LINE = "passed  everything [9 pt]"
TEXTS = {
    "a line": f"x\n{LINE}\n",
    "a carriage return": f"x\r{LINE}",
    "a line of Unicode": f"x\u2028{LINE}\u2029{LINE}\x85{LINE}\x0b\x0c\x1c",
    "white on white": f"\x1b[37;47mx\x1b[2J\x9b1A{LINE}",
    "a title and a link": "\x1b]0;x\x07\x1b]8;;https://evil.example\x1b\\x",
    "from right to left": "\u202e" + LINE[::-1] + "\u2066",
    "what looks blank": "x" + "\u3164" * 50 + "\u2800" * 50 + LINE,
    "blanks": "  \n \t \u00a0\u2003 ",
    "very much": "x" * 30_000,  # three of them fit into the buffer of a socket
}


WITH_CHECKS = """
checks = Checks("f")
@checks.part("it returns", points=1)
def _():
    f(1)
checks.score()
"""


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_text_of_a_kernel_ends_hides_or_colours_a_line_of_a_result(text: str) -> None:
    for failure in (
        ["refused", text],
        ["error", text, text, text],
        ["error", "NotImplementedError", text, text, []],
        ["error", "NameError", f"{text} is not defined", text, []],
        ["error", "KeyError", text, "", [[text, 7], [text, 8], [text, 9], [text, 10]]],
        ["error", "KeyError", text, "", [[text, text]]],
    ):
        liar = Pair()
        liar.send(["values", [], failure])
        liar.far.shutdown(socket.SHUT_WR)
        outputs = run_cell(WITH_CHECKS, "test_f", StudentNames({"Checks": Checks}, liar.session))
        assert [output["output_type"] for output in outputs] == ["stream", "execute_result"]
        printed = "\n".join([outputs[0]["text"], *outputs[1]["data"].values()])
        assert "FAILED  " in printed
        assert all(c in "\n" or c.isprintable() for c in printed)
        assert not {"\u3164", "\u2800"} & set(printed)
        assert not [line for line in printed.split("\n") if line.lstrip().startswith("passed")]
        assert len(printed) < 10_000
