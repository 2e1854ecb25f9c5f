"""A test cell's session with the notebook: values, calls both ways, limits, a kernel that lies.

The notebook is at the other end of a socket, and answers by the real server, or sends anything.
"""

import contextlib
import copy
import functools
import random
import signal
import socket
import subprocess
import sys
import threading
import types
from collections import deque, namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sessions import Kernel, Pair, asking

from hw_grading.examiner.process import run_cell
from hw_grading.examiner.session import (
    Gone,
    RemoteError,
    RemoteFunction,
    RemoteObject,
    Session,
    StudentNames,
)
from hw_grading.inside.serve import CallbackError
from hw_grading.inside.wire import Shipped, Theirs, Yours
from hw_grading.sandbox.processes import Target, cpu_clock
from hw_support import waved
from hw_support.checks import Checks
from hw_support.compare import Mismatch, expect_kept, expect_unchanged
from hw_support.time_limit import TimeLimitReached, time_limit

# -- names


@pytest.mark.parametrize(
    "source",
    [
        "student",
        "[student for _ in range(1)][0]",
        "(lambda: student)()",
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


def test_names_of_the_test_the_instructor_and_python_override_the_students() -> None:
    students = {"len": 1, "own": "a student's", "late": 3}
    with asking(students, own=2) as names:
        assert run_cell("len('ab') + own", "test", names)[0]["data"]["text/plain"] == "4.0"
        run_cell("late = 5", "test", names)
        assert students["late"] == 3
        assert "len" not in names
        assert names.get("nobody", 4) == 4
        locked = StudentNames({}, names.notebook._session, ["late"])
        [error] = run_cell("late", "test", locked)
        assert error["ename"] == "NameError"


def test_names_are_replaced_for_the_test_and_in_the_notebook_and_put_back() -> None:
    students: dict[str, Any] = {"g": lambda: "student's", "a": 1}
    students["f"] = lambda: students["g"]()
    kernel = Kernel(students)
    with kernel.test_cell() as names:
        before = names.notebook.put({"g": lambda: "test's", "new": 1, "a": names.notebook.MISSING})
        assert (names["f"](), names["g"](), names["new"], "a" in students) == (
            *("test's", "test's", 1),
            False,
        )
        names.notebook.put_back(before)
        assert names["f"]() == "student's"
        assert "new" not in names
        names.notebook.put({"a": 5})
    assert students["a"] == 1


def test_a_test_does_not_change_random_generators() -> None:
    generator = np.random.default_rng(1)
    np.random.seed(2)  # noqa: NPY002
    draw = lambda: [np.random.rand(), generator.random(), random.random()]  # noqa: E731, NPY002
    random.seed(3)
    with asking({"draw": draw, "rng": generator}) as names:
        first = names["draw"]()
        assert names["draw"]() != first
    assert draw() == first


# -- values


def test_plain_values_go_both_ways_and_are_copies() -> None:
    values = (1, [1.0, "two"], None, {"a": (True, b"b")}, np.float32(2), np.arange(3))
    received: list[Any] = []
    with asking({"same": lambda *a: received.extend(a) or list(a), "x": [1]}) as names:
        came = names["same"](*values)
        names["x"].append(2)
        assert names["x"] == [1]
    for one, there, back in zip(values, received, came, strict=True):
        assert type(one) is type(there) is type(back)
        np.testing.assert_equal([there, back], [one, one])


Pair_ = namedtuple("Pair_", "out cache")


class Unpacks:
    def __iter__(self) -> Iterator[Any]:
        return iter([1, np.ones(2)])


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        (deque([1, 2]), [1, 2]),
        (Pair_(1, {"a": 1}), [1, {"a": 1}]),
        ((n for n in range(3)), [0, 1, 2]),
        (Unpacks(), [1, np.ones(2)]),
        (np.array([np.ones(2), None], dtype=object), [np.ones(2), None]),
        (np.asmatrix([[1.0, 2.0]]), [[1.0, 2.0]]),
        (np.ma.masked_array([1.0, 2.0]), [1.0, 2.0]),
        (np.array(["a"]), ["a"]),
    ],
)
def test_entries_of_other_objects_come_with_a_handle(value: Any, entries: list[Any]) -> None:
    is_iterator = isinstance(value, types.GeneratorType)
    back: list[Any] = []
    with asking({"get": lambda: value, "take": back.append}) as names:
        seen = names["get"]()
        assert len(seen) == len(entries)
        np.testing.assert_equal(list(seen), entries)
        np.testing.assert_equal(seen[0], entries[0])
        names["take"](copy.deepcopy(seen))
    assert back == [entries] if is_iterator else back[0] is value


def test_an_object_without_entries_is_opaque_and_comes_back_as_itself() -> None:
    thing = object()
    with asking({"thing": thing, "is_it": lambda x: x is thing}) as names:
        seen = names["thing"]
        assert type(seen) is RemoteObject
        assert names["is_it"]([seen][0]) is True
        with pytest.raises(TypeError):
            iter(seen)
        with pytest.raises(AttributeError):
            seen.x  # noqa: B018
        with pytest.raises(AttributeError):
            seen.number = seen.name


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


@pytest.mark.parametrize(
    "value", [np.zeros(7 << 20), ["x" * 100] * 100_000, 2**70, {n: n for n in range(20_000)}]
)
def test_a_value_that_is_too_large_fails_only_its_call(value: Any) -> None:
    with asking({"f": lambda: value, "x": 1}) as names:
        with pytest.raises(Mismatch, match="the returned value cannot be graded"):
            names["f"]()
        assert names["x"] == 1


def test_a_value_that_contains_itself_fails_only_its_call() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with (
        asking({"f": lambda: loop}) as names,
        pytest.raises(Mismatch, match="does one of them contain itself"),
    ):
        names["f"]()


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


def test_results_that_do_not_fit_into_one_message_come_in_several() -> None:
    with asking({"f": lambda n: np.full(2 << 20, n)}) as names:
        calls = names.notebook.calls(names["f"], [[n] for n in range(7)], whole=False)
        assert [call()[0] for call in calls] == [*range(7)]


def test_changes_of_arguments_and_of_earlier_results_can_be_seen() -> None:
    own = np.zeros(2)

    def change(x: Any, things: Any, network: Any) -> Any:
        x += 1
        things.append(network["W"][1][0])
        network["W"][0].sort()
        network["W"][1][...] = 7
        own[...] += 1
        return own

    x, things, network = np.zeros((3, 4))[:, ::2], [1], {"W": ([3, 1], np.ones(2))}
    weights = network["W"][1]
    with asking({"change": change}) as names:
        first = names["change"](x, things, network)
        names["change"](x, things, network=network)
    assert (x == 2).all()
    assert things == [1, 1.0, 7.0]
    assert network["W"][0] == [1, 3]
    assert weights.tolist() == [7.0, 7.0]
    assert first.tolist() == [2.0, 2.0]


def test_large_results_come_without_the_earlier_ones() -> None:
    with asking({"big": lambda n: np.zeros(n)}) as names:
        for _ in range(8):
            assert names["big"](1_500_000).nbytes == 12_000_000  # five of them exceed a message


def test_arrays_of_the_instructor_stay_as_they_are() -> None:
    images, nested = np.zeros(3), [[1, 2]]
    nested.append(nested)  # type: ignore[arg-type]
    with asking({"f": lambda x, y: (x.fill(1), y.clear())}, images=images, nested=nested) as n:
        n["f"](n["images"][1:], n["nested"][0])
    assert images.tolist() == [0, 0, 0]
    assert nested[0] == [1, 2]


OWN = np.zeros(2)


@pytest.mark.parametrize(
    ("function", "changes"),
    [
        (lambda x: x * 2, ()),
        (lambda x: np.add(x, 1, out=x), ("inputs",)),
        (lambda x: np.add(x, 1, out=OWN), ("results",)),
    ],
)
def test_expectations_of_unchanged_values_hold_in_the_notebook(
    function: Any, changes: tuple[str, ...]
) -> None:
    with asking({"f": function, "g": lambda f, x: f(x)}) as names:
        composed = lambda x: names["g"](names["f"], x)  # noqa: E731
        for f in (names["f"], composed):
            with pytest.raises(Mismatch) if "inputs" in changes else contextlib.nullcontext():
                expect_unchanged(f, np.ones(2), names="x")
            with pytest.raises(Mismatch) if "results" in changes else contextlib.nullcontext():
                expect_kept(f, [np.ones(2)], [np.zeros(2)])


def test_what_a_students_function_prints_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    with asking({"f": lambda: print("loud")}) as names:
        names["f"]()
    assert capsys.readouterr().out == ""


# -- the test's functions in the notebook


def test_functions_of_the_test_are_called_back_and_come_back_as_themselves() -> None:
    mine = lambda x: names["double"](x) + 1  # noqa: E731
    with asking({"apply": lambda f, x: (f(x), f), "double": lambda x: 2 * x}) as names:
        assert names["apply"](mine, 3) == (7, mine)


def test_functions_that_student_code_gets_have_one_name_and_no_source() -> None:
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


def test_a_function_of_the_students_package_is_called_there() -> None:
    with asking({"apply": lambda f, x: (f(x), f)}) as names:
        session = names.notebook._session
        called = []
        session._call_back = lambda *given: called.append(given)  # type: ignore[method-assign]
        (out, slope), function = names["apply"](waved, np.ones(2))
        np.testing.assert_array_equal([out, slope], waved(np.ones(2)))
        assert function is waved
        assert called == []


def test_an_exception_of_a_test_function_passes_through_the_notebook() -> None:
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


def test_a_function_cannot_be_called_after_its_part_or_test_or_from_another_thread() -> None:
    kept: list[Any] = []

    def call_again() -> list[str]:
        said = []
        for function in kept:
            try:
                said.append(function())
            except (CallbackError, RuntimeError) as error:
                said.append(type(error).__name__)
        return said

    def in_a_thread() -> list[str]:
        said: list[Any] = []
        thread = threading.Thread(target=lambda: said.append(call_again()))
        thread.start()
        thread.join()
        return list(said[0])

    students = {"keep": kept.append, "again": call_again, "thread": in_a_thread}
    kernel = Kernel(students)
    with kernel.test_cell() as names:
        names["keep"](lambda: "right")
        assert names["again"]() == ["right"]
        assert names["thread"]() == ["RuntimeError"]
        names.notebook.end_part()
        assert names["again"]() == ["CallbackError"]
        names.notebook.put({"stays": lambda: "right"})
        kept[:] = [students["stays"]]
        names.notebook.end_part()
        assert names["again"]() == ["right"]
    assert call_again() == ["RuntimeError"]


def test_nested_calls_are_limited() -> None:
    with asking({"call": lambda f: f()}) as names:

        def deeper() -> Any:
            return names["call"](deeper)

        with pytest.raises(Mismatch, match="more than 100 nested calls"):
            deeper()


# -- exceptions and messages of parts


@pytest.mark.parametrize("kind", [ValueError, TypeError, KeyError, ZeroDivisionError, SystemExit])
def test_an_exception_has_the_name_and_text_of_the_students(kind: type[BaseException]) -> None:
    def f() -> None:
        raise kind("odd")

    with asking({"f": f}) as names, pytest.raises(RemoteError, match="odd") as raised:
        names["f"]()
    assert type(raised.value).__name__ == kind.__name__
    assert isinstance(raised.value, kind) or kind in (KeyError, SystemExit)


def test_an_exception_is_never_one_of_the_graders_own() -> None:
    class TimeLimitReached(Exception):
        def __str__(self) -> str:
            raise self

    def f() -> None:
        raise TimeLimitReached

    with asking({"f": f}) as names, pytest.raises(RemoteError) as raised:
        names["f"]()
    assert str(raised.value) == ""


def _messages(student: str, *parts: str) -> list[str]:
    """Run a student's cell in the notebook, and parts of a test here; return their messages."""
    students: dict[str, Any] = {"In": ["", student]}
    with contextlib.suppress(ImportError):
        exec(compile(student, "<cell 1>", "exec"), students)
    source = "checks = Checks('f')\n" + "".join(
        f"@checks.part('part', points=1)\ndef _():\n    {part}\n" for part in parts
    )
    with asking(students, Checks=Checks, np=np) as names:
        exec(compile(source, "<cell 2>", "exec"), names)
        return [part.message for part in names["checks"].parts]


FORGED = "x\nFAILED  all [9 pt]\x1b[2J" + 1000 * "y"


@pytest.mark.parametrize(
    ("student", "part", "message"),
    [
        (
            "def f(x):\n    return missing(x)",
            "f(2)",
            "line 2 of f: NameError: name 'missing' is not defined",
        ),
        (
            "def f(g):\n    return g(2)",
            "f(lambda y: y / 0)",
            "line 2 of f: ZeroDivisionError: division by zero",
        ),
        (
            "def f(x): return x",
            "from hw_support import results; results(f(2.5), 'out, grad')",
            "expected 2 results (out, grad), got 2.5",
        ),
        ("from nowhere import f", "f(1)", "f is not defined. Did its cell end in an error?"),
        (
            "def f(): return object()",
            "1.5 - f()",
            "TypeError: unsupported operand type(s) for -: 'float' and 'object'",
        ),
    ],
)
def test_what_a_part_says(student: str, part: str, message: str) -> None:
    assert _messages(student, part, part) == [message, message]


def test_names_that_the_notebook_tells_forge_no_lines() -> None:
    student = (
        f"FORGED = {FORGED!r}\ndef f():\n    raise type(FORGED, (Exception,), {{}})(FORGED)\n"
        "f.__code__ = f.__code__.replace(co_name=FORGED, co_qualname=FORGED)\n"
    )
    [message] = _messages(student, "f()")
    assert message.isprintable()
    assert message.startswith("line 3 of xFAILEDall9pt2Jyyy")
    assert len(message) < 1300


STAFF = {"reference": "def g():\n    return 4\n\ndef f():\n    return 4\n", "fresh": ""}


def test_a_second_try_has_right_functions_in_the_notebook_until_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, code in STAFF.items():
        module = types.ModuleType(f"staff.names.{name}")
        exec(code, vars(module))
        monkeypatch.setitem(sys.modules, module.__name__, module)
    students: dict[str, Any] = {"g": lambda: 1}
    stolen: list[Any] = []
    students["f"] = lambda: stolen.append(students["g"]) or students["g"]()
    students["steal"] = lambda: [function() for function in stolen if function() == 4]
    source = """
checks = Checks("f")
checks.grade_with("staff.names")
checks.part("right", points=1)(lambda: f() == 4 or 1 / 0)
checks.part("raises", points=1)(lambda: f() / 0)
score = checks.score()
"""
    with asking(students, Checks=Checks) as names:
        exec(source, names)
        assert names["score"] == 1.0
        right, raises = names["checks"].parts
        assert (right.second_try, raises.second_try) == (True, False)
        assert students["g"]() == 1
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


def test_tables_with_cases_of_their_own_share_no_calls() -> None:
    source = """
checks = Checks("f", inputs="x", returns="y")
for number in range(50):
    checks.table("y", 1, "y", cases=[([1.0 + number], [2.0 + 2 * number])])
"""
    with asking({"f": lambda x: 2 * x}, Checks=Checks) as names:
        exec(source, names)
        assert all(part.passed for part in names["checks"].parts)


# -- a kernel that takes too long

STUDENT = """
import signal, socket, sys, time
from hw_grading.inside.serve import Server

def spin(f):
    while True:
        pass

def wait(f):
    time.sleep(600)

def call(f):
    while True:
        f(1)

def stubborn(f):
    while True:
        try:
            f(1)
        except BaseException:
            pass

class Endless:
    def __iter__(self):
        while True:
            pass

def view(f):
    return Endless()

names = dict(globals(), same=lambda x: x)
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
        interrupt = functools.partial(Target(child.pid).send, signal.SIGINT)
        names = StudentNames({}, Session(ours, interrupt, child.kill, cpu_clock(child.pid)))
        names["spin"]  # it takes a moment to start
        yield names, child
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "by"),
    [
        *(("spin", "computing"), ("call", "computing"), ("view", "computing")),
        *(("wait", "time"), ("call", "time"), ("spin", "alarm"), ("call", "alarm")),
    ],
)
def test_what_takes_too_long_is_interrupted_and_the_session_goes_on(name: str, by: str) -> None:
    with process() as (names, _):
        session, function, same = names.notebook._session, names[name], names["same"]
        before = session.time_left.limits
        here = threading.get_ident()
        for number in range(3):
            session.time_left.limit(0.2 if by == "computing" else 600, 0.2 if by == "time" else 600)
            alarm = threading.Timer(0.2, signal.pthread_kill, [here, signal.SIGALRM])
            with time_limit(600, 600):
                if by == "alarm":
                    alarm.start()
                with pytest.raises(TimeLimitReached):
                    function(lambda x: x)
            session.time_left.limits = before
            assert same(number) == number
        assert session.hung == {name: None}
        session.end_test()
        assert session.gone is None


@pytest.mark.slow
def test_a_kernel_that_cannot_be_interrupted_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hw_grading.examiner.session._SECONDS_TO_REACT", 0.7)
    with process() as (names, child):
        function = names["stubborn"]
        names.notebook._session.time_left.limit(0.1, 600)
        for _ in range(2):
            with pytest.raises(Gone, match="could not be interrupted"):
                function(lambda x: x)
            assert child.wait(60)


def test_a_silent_kernel_is_killed_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hw_grading.examiner.session._SECONDS_TO_REACT", 0.7)
    pair = Pair()
    pair.session.time_left.limit(-1, 600)
    with pytest.raises(Gone, match="could not be interrupted"):
        pair.session.get(["x"])
    assert pair.interrupts
    assert pair.kills


@pytest.mark.parametrize(
    ("passed", "waited", "late"), [(9, 0, False), (11, 0, True), (39, 30, False)]
)
def test_time_waiting_for_the_processor_does_not_count(
    passed: float, waited: float, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0, 0.0]
    monkeypatch.setattr("hw_grading.examiner.session.monotonic", lambda: now[0])
    interrupts: list[int] = []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        clocks = float, lambda: now[1]
        session = Session(ours, lambda: interrupts.append(1), lambda: None, *clocks)
        session.time_left.limit(60, 10)
        now[:] = 1000 + passed, waited
        session.time_left.keep()
        assert bool(interrupts) is late


@pytest.mark.slow
def test_an_interrupt_at_any_moment_leaves_answers_in_step() -> None:
    draw = random.Random(1)
    with process() as (names, child):
        call, same = names["call"], names["same"]

        def pester(stop: threading.Event) -> None:
            while not stop.wait(draw.uniform(0.002, 0.01)):
                child.send_signal(signal.SIGINT)

        for number in range(40):
            stop = threading.Event()
            pest = threading.Thread(target=pester, args=[stop])
            pest.start()
            try:
                with pytest.raises(RemoteError, match="was interrupted"):
                    call(lambda x: x)
            finally:
                stop.set()
                pest.join()
            assert same(number) == number


# -- a kernel that lies

VALUES: Any = ["values", [[1, [[0], {}, []]]], None]


@pytest.mark.parametrize(
    "answer",
    [
        *(None, 1, [], ["what"], ["values"], ["values", 1, None], ["values", [], None], ["ended"]),
        *(["values", [[1, None]], None], ["values", [[1, [[0], {}]]], None], ["values", [1], None]),
        *(["values", [], ["error", 1]], ["values", [], ["raised", "f", 1]], ["values", [], 1]),
        ["values", [VALUES[1][0]] * 2, None],
        *(["callback", 0, [], {}], ["callback", 7, [], {}], ["callback", True, 1, {}]),
        *(["values", [[Yours(0), [[0], {}, []]]], None], ["callback", 1, [], {1: 1}]),
        ["values", [[Shipped("os", "system"), [[0], {}, []]]], None],
    ],
)
def test_an_answer_that_does_not_fit_ends_the_session(answer: Any) -> None:
    pair = Pair()
    pair.send(answer)
    function = RemoteFunction(pair.session, 0, "f")
    for _ in range(2):
        with pytest.raises(Gone, match="it broke the protocol"):
            function(1)
    assert pair.kills
    pair.session.end_test()


def test_an_answer_that_fits_is_taken() -> None:
    pair = Pair()
    theirs = Theirs(2**40, False, "x y<b>" * 100)
    for value in (3, theirs):
        pair.send(["values", [[value, [[0], {}, []]]], None])
        came = RemoteFunction(pair.session, 0, "f")(1)
        assert came == 3 or repr(came).startswith("<xybxyb")
    assert len(repr(came)) < 100


def test_changes_that_fit_nothing_change_nothing() -> None:
    pair = Pair()
    x, things = np.zeros(2), (np.zeros(2), 1)
    after: list[Any] = [[np.ones(3), "no tuple"], {"unknown": 1}, [1, 2, 3]]
    pair.send(["values", [[1, after]], None])
    assert RemoteFunction(pair.session, 0, "f")(x, things) == 1
    assert x.tolist() == things[0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("answer", [["values", [], None], None, ["callback", 0, [], {}]])
def test_whatever_is_answered_to_the_end_of_a_test_raises_nothing(answer: Any) -> None:
    pair = Pair()
    pair.send(answer)
    pair.session.end_test()
    assert pair.session.gone


def test_a_callback_that_hides_the_end_does_not_undo_it() -> None:
    pair = Pair()

    def hide() -> None:
        with contextlib.suppress(Gone):
            pair.session.get(["x"])

    pair.send(["callback", 0, [], {}], None, VALUES)
    with pytest.raises(Gone):
        RemoteFunction(pair.session, 0, "f")(hide)


def test_an_interrupt_that_nobody_sent_is_no_time_limit() -> None:
    pair = Pair()
    pair.send(["values", [], ["interrupted"]])
    with pytest.raises(RemoteError, match="was interrupted"):
        RemoteFunction(pair.session, 0, "f")()


def test_a_connection_that_closes_raises_gone() -> None:
    pair = Pair()
    pair.far.sendall(b"\0\0")
    pair.far.shutdown(socket.SHUT_WR)
    with pytest.raises(Gone, match="its process has ended"):
        pair.session.get(["x"])
    assert pair.session.ended
