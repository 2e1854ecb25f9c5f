"""The examiner's session: honest ends answer as a notebook would, dishonest ones are `Gone`."""

from __future__ import annotations

import builtins
import contextlib
import copy
import gc
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import numpy as np
import pytest

from hw_grading.examiner.names import StudentNames
from hw_grading.examiner.remote import Gone, Remote, RemoteError, RemoteFunction
from hw_grading.examiner.session import Session, signaller
from hw_grading.inside import wire
from hw_grading.inside.serve import Server
from hw_grading.inside.wire import FROM_GRADER, FROM_SANDBOX, Theirs, TooMuch, Yours
from hw_grading.sandbox.forked import cpu_clock
from hw_support.checks import Checks
from hw_support.compare import Mismatch
from hw_support.notebook_access import notebook_of
from hw_support.time_limit import TimeLimitReached, time_limit


class Pair:
    """A session, and what is done to the far end."""

    def __init__(self) -> None:
        ours, self.far = socket.socketpair()
        self.kills = self.interrupts = 0
        self.computed = 0.0
        self.session = Session(ours, self.interrupt, self.kill, lambda: self.computed)

    def interrupt(self) -> None:
        self.interrupts += 1

    def kill(self) -> None:
        self.kills += 1


class Kernel(Pair):
    """The real server in a thread, for a notebook with these names."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__()
        self.names = names
        self.server = Server(self.far, names)

    @contextlib.contextmanager
    def test_cell(self) -> Iterator[Session]:
        self.thread = threading.Thread(target=self.server.serve, daemon=True)
        self.thread.start()
        try:
            yield self.session
        finally:
            self.session.end_test()
            self.thread.join(5)
        assert not self.thread.is_alive()

    def kill(self) -> None:
        super().kill()
        with contextlib.suppress(OSError):
            self.far.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def asking(**names: Any) -> Iterator[Session]:
    """A test cell, and behind it a notebook with these names; nothing goes wrong."""
    kernel = Kernel(names)
    with kernel.test_cell() as session:
        yield session
    assert kernel.session.gone is None
    assert kernel.kills == 0


def _set_shape(x: Any, shape: tuple[int, ...]) -> None:
    with warnings.catch_warnings():  # students do it all the same
        warnings.simplefilter("ignore", DeprecationWarning)
        x.shape = shape


# -- names and values


def test_a_name_means_what_it_means_in_the_notebook() -> None:
    losses = [0.5] * 20
    with asking(losses=losses, x=np.arange(3), none=None, pair=(1, {"a": "b"})) as session:
        assert session.get("losses") == losses
        assert session.get("none") is None
        assert session.get("pair") == (1, {"a": "b"})
        np.testing.assert_array_equal(session.get("x"), np.arange(3))
        with pytest.raises(KeyError, match="missing"):
            session.get("missing")


def test_a_value_that_came_is_a_copy() -> None:
    losses = [1.0, 2.0]
    with asking(losses=losses) as session:
        session.get("losses").append(3.0)
    assert losses == [1.0, 2.0]


def test_a_replaced_name_means_again_what_it_meant_when_asked_to() -> None:
    names: dict[str, Any] = {"f": lambda: g(), "g": lambda: "student's"}
    g = lambda: names["g"]()  # noqa: E731
    kernel = Kernel(names)
    with kernel.test_cell() as session:
        first = session.put({"g": (lambda: "test's",), "new": (1,), "never put": None})
        assert session.get("f")() == "test's"
        assert session.get("new") == 1
        second = session.put({"g": (lambda: "another",), "f": None})
        with pytest.raises(KeyError):
            session.get("f")
        session.put_back(second)
        assert session.get("f")() == "test's"
        session.put_back(first)
        assert session.get("f")() == "student's"
        for name in ("new", "never put"):
            with pytest.raises(KeyError):
                session.get(name)


def test_replaced_names_are_put_back_when_the_test_ends() -> None:
    original = {"a": 1, "b": len}
    kernel = Kernel(dict(original))
    with kernel.test_cell() as session:
        session.put({"a": (2,)})
        session.put({"a": (3,), "b": (print,), "new": (4,)})
        assert kernel.names == {"a": 3, "b": kernel.names["b"], "new": 4}
    assert kernel.names == original


def test_a_change_of_an_earlier_test_is_not_put_back_in_a_later_one() -> None:
    kernel = Kernel({"a": 1})
    with kernel.test_cell() as session:
        first = session.put({"a": (2,)})
    with kernel.test_cell() as session:
        session.put({"a": (3,)})
        session.put_back(first)
        assert kernel.names == {"a": 3}


def test_random_generators_go_on_as_if_there_had_been_no_test() -> None:
    generator = np.random.default_rng(1)
    np.random.seed(2)  # noqa: NPY002
    random.seed(3)

    def draw() -> list[float]:
        return [np.random.rand(), generator.random(), random.random()]  # noqa: NPY002

    with asking(draw=draw, rng=generator) as session:
        first = session.get("draw")()
        assert session.get("draw")() != first
    assert draw() == first


# -- calls


def test_a_call_takes_and_gives_plain_values() -> None:
    def describe(*arguments: Any, **named: Any) -> Any:
        return [type(x).__name__ for x in (*arguments, *named.values())], list(named)

    with asking(describe=describe, double=lambda x: 2 * x) as session:
        types, names = session.get("describe")(1, [1.0], np.ones(2), (True,), named={"a": None})
        assert types == ["int", "list", "ndarray", "tuple", "dict"]
        assert names == ["named"]
        assert session.get("double")(3) == 6
        np.testing.assert_array_equal(session.get("double")(x=np.arange(3.0)), [0, 2, 4])


def test_what_a_call_changes_in_place_is_changed_at_the_caller() -> None:
    def change(x: Any, numbers: list[Any], network: Any) -> None:
        x += 1
        numbers.append(network["W"][1][0, 0])
        network["W"][0].sort()
        network["W"][1][...] = 7
        del network["b"][0][:]

    x, numbers = np.zeros((3, 4))[:, ::2], [1, "two"]
    network = {"W": ([3, 1, 2], np.ones((2, 2), "f4")), "b": [[1]]}
    weights = network["W"][1]
    with asking(change=change) as session:
        session.get("change")(x, numbers, network=network)
    assert x.tolist() == [[1.0] * 2] * 3
    assert numbers == [1, "two", 1.0]
    assert network["W"][0] == [1, 2, 3]
    assert network["b"] == [[]]
    assert network["W"][1] is weights
    assert weights.tolist() == [[7.0, 7.0]] * 2


def test_an_array_that_a_call_reshapes_is_reshaped_at_the_caller() -> None:
    def reshape(x: Any) -> None:
        _set_shape(x, (3, 2))
        x[0, 1] = 9.0

    x = np.zeros((2, 3))
    with asking(reshape=reshape) as session:
        session.get("reshape")(x)
    assert x.tolist() == [[0.0, 9.0], [0.0, 0.0], [0.0, 0.0]]


def test_a_change_that_the_callers_array_cannot_take_fails_the_call_only() -> None:
    def reshape(x: Any) -> None:
        _set_shape(x, (6,))

    def fill(x: Any) -> None:
        x[:] = 1

    frozen = np.zeros(3)
    frozen.flags.writeable = False
    with asking(reshape=reshape, fill=fill, one=1) as session:
        for name, array in (("reshape", np.zeros((4, 3))[::2]), ("fill", frozen)):
            with pytest.raises(Mismatch):
                session.get(name)(array)
            assert session.get("one") == 1


def test_what_a_call_overwrites_of_an_earlier_result_is_overwritten_at_the_caller() -> None:
    own, log = np.zeros(3), [0]

    def step() -> Any:
        own[...] += 1
        log.append(len(log))
        return {"own": (own, log)}

    with asking(step=step, one=lambda: 1) as session:
        first = session.get("step")()["own"]
        second = session.get("step")()["own"]
        session.get("one")()
        session.get("step")()
    for array, numbers in (first, second):
        assert (array.tolist(), numbers) == ([3.0] * 3, [0, 1, 2, 3])


def test_a_result_that_did_not_come_is_not_counted_among_the_earlier_ones() -> None:
    own = np.zeros(3)

    def add() -> Any:
        own[...] += 1
        return own

    def fail() -> Any:
        raise ValueError

    long = [[0.0] * 20, ["x"] * 10_001]
    with asking(add=add, long=lambda: long, fail=fail) as session:
        for name in ("long", "fail"):
            with pytest.raises((Mismatch, RemoteError)):
                session.get(name)()
        first = session.get("add")()
        session.get("add")()
    assert first.tolist() == [2.0] * 3


def test_a_call_may_be_undone() -> None:
    def change(x: Any, numbers: list[int]) -> float:
        x *= 2
        numbers.clear()
        return float(x.sum())

    seen: list[Any] = []
    x, numbers = np.ones(4), [1, 2]

    def keep(x: Any, numbers: Any) -> float:
        seen.extend([x, numbers])
        return change(x, numbers)

    with asking(keep=keep) as session:
        assert session.get("keep").undoing(x, numbers) == 8.0
    assert (x.tolist(), numbers) == ([1.0] * 4, [1, 2])
    assert (seen[0].tolist(), seen[1]) == ([1.0] * 4, [1, 2])


def test_what_a_test_cell_asks_to_be_undone_is_undone_in_the_notebook() -> None:
    seen: list[Any] = []

    def keep(x: Any) -> None:
        seen.append(x)
        x += 1

    with asking(keep=keep) as session:
        names = StudentNames({}, session)
        notebook_of(names).undoing(names["keep"], np.zeros(2))
    assert seen[0].tolist() == [0.0, 0.0]


def test_undoing_works_for_arrays_of_any_shape() -> None:
    def change(x: Any) -> None:
        x[...] = 5

    def flatten(x: Any) -> None:
        _set_shape(x, (x.size,))
        x[0] = 5

    with asking(change=change, flatten=flatten) as session:
        for shape in ((), (2,), (0,), (2, 0, 3)):
            session.get("change").undoing(np.zeros(shape))
        session.get("flatten").undoing(np.zeros((2, 3)))


def test_an_exception_has_the_name_the_text_and_the_place_of_the_students() -> None:
    class OddError(Exception):
        pass

    def inner() -> None:
        raise OddError("x is odd")

    def unfinished() -> None:
        raise NotImplementedError

    def leave() -> None:
        raise SystemExit(3)

    with asking(outer=lambda: inner(), unfinished=unfinished, leave=leave) as session:
        with pytest.raises(RemoteError, match="x is odd") as caught:
            session.get("outer")()
        assert type(caught.value).__name__ == "OddError"
        assert caught.value.raised_by == "inner"  # type: ignore[attr-defined]
        with pytest.raises(NotImplementedError) as unanswered:
            session.get("unfinished")()
        assert isinstance(unanswered.value, RemoteError)
        assert unanswered.value.raised_by == "unfinished"
        with pytest.raises(RemoteError) as left:
            session.get("leave")()
        assert type(left.value).__name__ == "SystemExit"


def test_an_exception_whose_text_fails_has_none() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fail() -> None:
        raise MuteError

    with asking(fail=fail) as session:
        with pytest.raises(RemoteError) as caught:
            session.get("fail")()
        assert (type(caught.value).__name__, str(caught.value)) == ("MuteError", "")


def test_what_is_too_large_to_come_back_fails_the_call_only() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with asking(cyclic=lambda: endless, long=lambda: ["x"] * 10_001, fine=lambda: 1) as session:
        for name, why in (("cyclic", "contain itself"), ("long", "10,001 entries")):
            with pytest.raises(Mismatch, match=why):
                session.get(name)()
        assert session.get("fine")() == 1


def test_what_is_too_large_to_send_is_the_tests_own_mistake() -> None:
    with asking(f=lambda x: 1) as session:
        with pytest.raises(TooMuch):
            session.get("f")({1, 2})
        assert session.get("f")(2) == 1


def test_what_a_students_function_prints_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    def loud() -> int:
        print("hidden inputs")
        print("hidden inputs", file=sys.stderr)
        return 1

    with asking(loud=loud) as session:
        assert session.get("loud")() == 1
        print("test's own")
    assert capsys.readouterr() == ("test's own\n", "")


# -- functions that the test hands over


def test_functions_of_the_test_are_called_back() -> None:
    calls: list[Any] = []

    def counting(x: Any, **named: Any) -> Any:
        calls.append((x, named))
        return x, x + 1

    with asking(apply=lambda f, x: f(x, times=2)[1] + f(x=x)[0]) as session:
        assert session.get("apply")(counting, 3.0) == 7.0
    assert calls == [(3.0, {"times": 2}), (3.0, {})]


def test_what_a_callback_changes_stays_at_its_own_end() -> None:
    def change(x: Any) -> None:
        x[:] = 1

    def apply(f: Any) -> float:
        x = np.zeros(3)
        f(x)
        return float(x.sum())

    with asking(apply=apply) as session:
        assert session.get("apply")(change) == 0.0


def test_a_function_that_was_handed_over_comes_back_as_itself() -> None:
    functions = [lambda: 1, len, np.tanh, Mismatch]
    with asking(keep=lambda *f: [*f, {"last": f[-1]}], name=lambda f: f.__name__) as session:
        came = session.get("keep")(*functions, functions[0])
        assert all(a is b for a, b in zip(came, functions, strict=False))
        assert came[-1]["last"] is functions[0]
        assert session.get("name")(len) == "len"


def test_an_exception_of_a_callback_comes_back_as_itself() -> None:
    error = Mismatch("told", "discreet")

    def fail(x: Any) -> None:
        raise error

    def wrap(f: Any) -> Any:
        try:
            return f(1)
        except Exception as inner:
            raise ValueError("student's") from inner

    with asking(apply=lambda f: f(1), wrap=wrap) as session:
        with pytest.raises(Mismatch) as caught:
            session.get("apply")(fail)
        assert caught.value is error
        with pytest.raises(RemoteError, match="student's"):
            session.get("wrap")(fail)


def test_an_exception_of_an_earlier_callback_may_be_raised_again() -> None:
    def fail(x: Any) -> None:
        raise ValueError(x)

    def raise_the_first(f: Any) -> Any:
        errors = []
        for x in range(20):
            try:
                f(x)
            except Exception as error:
                errors.append(error)
        raise errors[0]

    with asking(raise_the_first=raise_the_first, one=1) as session:
        with pytest.raises((ValueError, RemoteError)):
            session.get("raise_the_first")(fail)
        assert session.get("one") == 1


def test_a_callback_with_a_value_that_cannot_be_sent_raises() -> None:
    with (
        asking(apply=lambda f: f()) as session,
        pytest.raises(TooMuch, match="not plain data"),
    ):
        session.get("apply")(lambda: {1})


def test_callbacks_ask_in_turn() -> None:
    def countdown(f: Any, n: int) -> int:
        return n and 1 + f(f, n - 1)

    with asking(countdown=countdown, base=10) as session:
        remote = session.get("countdown")
        assert remote(lambda f, n: remote(f, n), 8) == 8
        assert remote(lambda f, n: n + session.get("base"), 1) == 11


def test_calls_in_calls_have_an_end() -> None:
    kernel = Kernel({"again": lambda f: f(), "one": 1})
    with kernel.test_cell() as session:
        again = session.get("again")

        def forever() -> Any:
            return again(forever)

        with pytest.raises(Mismatch, match="100 nested calls"):
            again(forever)
        assert session.get("again")(lambda: 3) == 3
    assert kernel.session.gone is None


@pytest.mark.parametrize("frames", range(0, 24, 3))
def test_calls_in_calls_through_many_functions_mix_up_no_answers(frames: int) -> None:
    kernel = Kernel({"again": lambda f: f(), "one": 1})
    with kernel.test_cell() as session:
        again = session.get("again")

        def forever(left: int) -> Any:
            return forever(left - 1) if left else again(lambda: forever(frames))

        with pytest.raises((Mismatch, RecursionError)):
            forever(frames)
        with contextlib.suppress(Gone):
            assert session.get("one") == 1


def test_a_function_of_a_test_that_has_ended_does_nothing() -> None:
    kept: list[Any] = []
    kernel = Kernel({"keep": kept.append, "call": lambda: kept[0]()})
    calls: list[int] = []
    with kernel.test_cell() as session:
        session.get("keep")(lambda: calls.append(1))
        session.get("call")()
    with kernel.test_cell() as session:
        session.get("keep")(lambda: calls.append(2))
        with pytest.raises(RuntimeError, match="the test that passed this function has ended"):
            session.get("call")()
    assert calls == [1]
    assert session.gone is None


def test_a_function_of_a_test_that_has_ended_may_come_back() -> None:
    kernel = Kernel({"cache": {}})
    with kernel.test_cell() as session:
        session.put({"activation": (len,)})
        kernel.names["cache"]["activation"] = kernel.names["activation"]
    with kernel.test_cell() as session:
        came = session.get("cache")["activation"]
        with pytest.raises(RuntimeError, match="the test that passed this function has ended"):
            came([1])
    assert session.gone is None


def test_a_test_that_has_ended_keeps_nothing_alive() -> None:
    class Held:
        def __call__(self) -> None:
            raise ValueError

    kernel, held = Kernel({"apply": lambda f: f()}), Held()
    there = weakref.ref(held)
    with kernel.test_cell() as session, contextlib.suppress(ValueError):
        session.get("apply")(held)
    del held
    gc.collect()
    assert there() is None


def test_a_function_of_the_test_can_be_called_from_one_thread_only() -> None:
    def in_thread(f: Any) -> str:
        texts = []

        def work() -> None:
            try:
                f(1)
            except RuntimeError as error:
                texts.append(str(error))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return texts[0]

    with asking(in_thread=in_thread) as session:
        assert "only one thread can call" in session.get("in_thread")(lambda x: x)
        assert session.get("in_thread")(len)


# -- what stays in the notebook


class Cache:
    def __init__(self) -> None:
        self.slope = np.ones(2)
        self.entries = {"a": [1, 2]}

    def method(self, x: int) -> int:
        return x + 1

    def __getitem__(self, key: Any) -> Any:
        return self.entries[key]

    def __len__(self) -> int:
        return 5

    def __bool__(self) -> bool:
        return False


def test_what_is_no_plain_data_stays_and_can_be_asked() -> None:
    cache = Cache()
    with asking(cache=cache, is_it=lambda x: x is cache, held=[(cache,)]) as session:
        remote = session.get("cache")
        assert type(remote) is Remote
        assert repr(remote) == "<Cache in the notebook>"
        assert session.get("is_it")(remote) is True
        assert session.get("is_it")(session.get("held")[0][0]) is True
        assert (len(remote), bool(remote)) == (5, False)
        assert remote["a"] == [1, 2]
        assert remote.method(x=2) == 3
        np.testing.assert_array_equal(remote.slope, [1, 1])
        with pytest.raises(RemoteError) as caught:
            remote["b"]
        assert type(caught.value).__name__ == "KeyError"
        with pytest.raises(AttributeError):
            remote._private  # noqa: B018


def test_arrays_of_odd_types_are_asked_for_as_plain_ones() -> None:
    masked = np.ma.masked_array([1.0, 2.0])
    with asking(long=np.longdouble([1, 2]), masked=masked, o=np.array([None])) as session:
        for name in ("long", "masked"):
            remote = session.get(name)
            assert type(remote) is Remote
            array = np.asarray(remote)
            assert (array.dtype, array.tolist()) == (np.dtype("f8"), [1.0, 2.0])
        with pytest.raises(RemoteError, match="not plain numbers"):
            np.asarray(session.get("o"))


def test_generators_are_asked_for_one_entry_at_a_time() -> None:
    drawn = []

    def generate() -> Iterator[Any]:
        for number in range(300):
            drawn.append(number)
            yield number, np.full(2, number)

    with asking(generate=generate, a_set={3}, pair=lambda: iter("ab")) as session:
        for number, array in session.get("generate")():
            assert array.tolist() == [number] * 2
            if number == 2:
                break
        assert drawn == [0, 1, 2]
        assert [number for number, _ in session.get("generate")()] == list(range(300))
        a, b = session.get("pair")()
        assert (a, b) == ("a", "b")
        assert list(session.get("a_set")) == [3]


def test_a_generator_can_be_made_a_list() -> None:
    def generate() -> Iterator[int]:
        yield from (1, 2)
        raise ValueError("no more")

    with asking(generate=generate, squares=map(abs, [-1, 2])) as session:
        assert list(session.get("squares")) == [1, 2]
        with pytest.raises(RemoteError, match="no more"):
            tuple(session.get("generate")())


def test_what_an_object_does_not_have_is_missing_as_from_any_other() -> None:
    with asking(cache=Cache()) as session:
        remote = session.get("cache")
        assert hasattr(remote, "slope")
        assert not hasattr(remote, "shape")
        assert getattr(remote, "shape", None) is None


def test_a_handle_can_be_copied_and_be_a_key() -> None:
    with asking(cache=Cache()) as session:
        remote = session.get("cache")
        assert {remote: 1}[remote] == 1
        assert copy.copy(remote)["a"] == [1, 2]
        assert copy.deepcopy([remote])[0]["a"] == [1, 2]


# -- time

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
            while True:
                pass
        except BaseException:
            pass

def stubborn_call(f):
    while True:
        try:
            f(1)
        except BaseException:
            pass

def refuse(*_):
    raise ValueError("not now")

def handled(f):
    signal.signal(signal.SIGINT, refuse)
    f()

names = dict(globals(), same=lambda x: x)
Server(socket.socket(fileno=int(sys.argv[1])), names).serve()
"""


@contextlib.contextmanager
def process() -> Iterator[tuple[Session, subprocess.Popen[bytes]]]:
    """The real server in a process, which real signals meet, with functions that do not end."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-c", STUDENT, str(theirs.fileno())]
        child = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    try:
        interrupt = signaller(child.pid, signal.SIGINT)
        session = Session(ours, interrupt, child.kill, cpu_clock(child.pid))
        session.get("spin")  # it takes a moment to start
        yield session, child
    finally:
        child.kill()
        child.wait()


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """A time limit whose signal meets the thread that asks, and no other of this process."""
    here = threading.get_ident()
    timer = threading.Timer(seconds, signal.pthread_kill, [here, signal.SIGALRM])
    with time_limit(600, 600):
        timer.start()
        yield


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("spin", "computing"),
        ("call", "computing"),
        ("spin", "time"),
        ("call", "time"),
        ("wait", "time"),
        ("spin", "alarm"),
        ("call", "alarm"),
        ("wait", "alarm"),
    ],
)
def test_what_takes_too_long_is_interrupted_and_the_session_goes_on(name: str, by: str) -> None:
    with process() as (session, _):
        function, same = session.get(name), session.get("same")
        before = session.time_left.limits
        for number in range(3):
            session.time_left.limit(0.2 if by == "computing" else 600, 0.2 if by == "time" else 600)
            with (
                pytest.raises(TimeLimitReached),
                alarm(0.2) if by == "alarm" else contextlib.nullcontext(),
            ):
                function(lambda x: x)
            session.time_left.limits = before
            assert same(number) == number
        session.end_test()
        assert session.gone is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stubborn", "stubborn_call"])
def test_who_cannot_be_interrupted_is_killed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hw_grading.examiner.time_left._SECONDS_TO_REACT", 0.7)
    with process() as (session, child):
        function = session.get(name)
        session.time_left.limit(0.1, 600)
        with pytest.raises(Gone, match="could not be interrupted"):
            function(lambda x: x)
        assert child.wait(60)
        with pytest.raises(Gone, match="could not be interrupted"):
            session.get("same")


def test_who_says_nothing_when_time_is_up_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hw_grading.examiner.time_left._SECONDS_TO_REACT", 0.7)
    pair = Pair()
    pair.session.time_left.limit(-1, 600)
    with pytest.raises(Gone, match="could not be interrupted"):
        pair.session.get("x")
    assert pair.interrupts
    assert pair.kills


@pytest.mark.parametrize(
    ("passed", "waited", "late"), [(9, 0, False), (11, 0, True), (39, 30, False)]
)
def test_what_was_waited_for_the_processor_does_not_count(
    passed: float, waited: float, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0, 0.0]
    monkeypatch.setattr("hw_grading.examiner.time_left.monotonic", lambda: now[0])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        session = Session(ours, lambda: None, lambda: None, float, lambda: now[1])
        session.time_left.limit(60, 10)
        now[:] = 1000 + passed, waited
        assert session.time_left.is_up() is late


def test_an_interrupt_at_any_moment_leaves_answers_in_step() -> None:
    draw = random.Random(1)
    with process() as (session, child):
        call, same = session.get("call"), session.get("same")

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


@pytest.mark.slow
def test_a_handler_of_the_students_breaks_into_no_message() -> None:
    with process() as (session, child):
        handled, same = session.get("handled"), session.get("same")
        for number in range(5):
            with pytest.raises(RemoteError, match="was interrupted"):
                handled(lambda: child.send_signal(signal.SIGINT))
            assert same(number) == number


def test_signals_are_let_through_again_after_every_question() -> None:
    def mask() -> Any:
        return signal.pthread_sigmask(signal.SIG_BLOCK, [])

    before = mask()
    seen: list[Any] = []
    with asking(apply=lambda f: f(), x=1) as session:
        session.get("x")
        session.get("apply")(lambda: seen.append(mask()))
        with contextlib.suppress(KeyError):
            session.get("y")
        assert mask() == before
    assert not seen[0] & {signal.SIGALRM, signal.SIGVTALRM}  # our functions can be stopped too


# -- the names of a test cell


@contextlib.contextmanager
def cell(students: dict[str, Any], **own: Any) -> Iterator[StudentNames]:
    """The names of a test cell: its own, and behind them those of a notebook."""
    kernel = Kernel(students)
    with kernel.test_cell() as session:
        yield StudentNames(own, session)
    assert kernel.session.gone is None


def test_the_tests_own_names_and_pythons_win_over_the_students() -> None:
    students = dict.fromkeys(["np", "x", "y", "len", "range", "__name__", "__file__"], "student's")
    with cell(students, np=np, x="own") as names:
        exec("seen = [np, x, len, y]\ndef f(): return [np, x, len, y, range]\nfrom_f = f()", names)
        assert names["seen"] == [np, "own", len, "student's"]
        assert names["from_f"] == [np, "own", len, "student's", range]
        for name in ("len", "__name__", "__file__"):
            assert names.get(name) is None
            assert name not in names
        assert names["__builtins__"] in (builtins, builtins.__dict__)


def test_names_can_be_looked_for() -> None:
    with cell({"student": None}, own=1) as names:
        assert "own" in names
        assert "student" in names
        assert "neither" not in names
        assert names.get("neither") is None
        assert names.get("neither", 3) == 3
        assert names.get("student", 3) is None
        with pytest.raises(KeyError):
            names["neither"]
        with pytest.raises(NameError, match="neither"):
            exec("neither", names)
        with pytest.raises(NameError, match="neither"):
            exec("(lambda: neither)()", names)


def test_what_a_test_cell_binds_stays_there() -> None:
    students = {"answer": 1}
    with cell(students) as names:
        exec("answer = 2\nnew = answer", names)
        assert (names["answer"], names["new"]) == (2, 2)
        assert students == {"answer": 1}
        exec("del answer\nseen = answer", names)
        assert names["seen"] == 1


def test_a_function_of_a_test_cell_can_use_the_students() -> None:
    source = """
def measured(x):
    return double(x) + offset
result = apply(measured, 5)
squares = [double(i) for i in range(3)]
"""
    students = {"double": lambda x: 2 * x, "apply": lambda f, x: f(x), "offset": 1}
    with cell(students) as names:
        exec(source, names)
        assert (names["result"], names["squares"]) == (11, [0, 2, 4])


def test_names_are_replaced_for_the_test_and_in_the_notebook() -> None:
    students = {"g": lambda: "student's"}
    students["f"] = lambda: students["g"]()  # type: ignore[no-untyped-call]
    with cell(students) as names:
        g = names["g"]
        with names.notebook.replaced(g=lambda: "test's", new=3):
            assert names["f"]() == names["g"]() == "test's"
            assert names["new"] == students["new"] == 3
            with names.notebook.replaced(g=g):
                assert names["f"]() == names["g"]() == "student's"
            assert names["f"]() == names["g"]() == "test's"
        assert names["f"]() == names["g"]() == "student's"
        assert isinstance(names["g"], RemoteFunction)
        assert "new" not in names
        assert "new" not in students


def test_checks_replace_and_limit_in_the_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    source = """
checks = Checks("f", points=3)
checks.replace(g=lambda: 4)
with checks("right", points=1):
    assert f() == 4
with checks("raises", points=1):
    fail()
with checks("hidden", points=1, hidden=True):
    assert fail() == 3
score = checks.score()
"""
    students: dict[str, Any] = {"g": lambda: 1, "fail": lambda: 1 / 0}
    students["f"] = lambda: students["g"]()
    with cell(students, Checks=Checks) as names:
        exec(source, names)
        assert names["score"] == 1.0
        assert students["g"]() == 1
    printed = capsys.readouterr().out
    assert "ZeroDivisionError: division by zero" in printed
    assert "ZeroDivisionError was raised" in printed


def _messages(student: str, *parts: str, hidden: bool = False) -> list[str]:
    """Run a student's cell in the notebook, and parts of a test here; return what these say."""
    students: dict[str, Any] = {"In": ["", student]}
    with contextlib.suppress(ImportError):
        exec(compile(student, "<cell 1>", "exec"), students)
    source = "checks = Checks('f', points=1)\n" + "".join(
        f"with checks('part', points=1, hidden={hidden}):\n    {part}\n" for part in parts
    )
    with cell(students, Checks=Checks) as names:
        exec(compile(source, "<cell 2>", "exec"), names)
        return [part.message for part in names["checks"].parts]


_FAILS = """
import numpy as np
def root(x):
    return missing_name(x)
def f(act, x):
    y = 2 * x
    return act(y) + np.ones(3) @ np.ones(x)
"""


def test_an_error_in_the_notebook_names_line_and_function() -> None:
    wrong_shapes, missing, of_the_test = _messages(
        _FAILS, "f(abs, 2)", "root(2)", "f(lambda y: 1 / 0, 2)"
    )
    assert wrong_shapes.startswith("line 7 of f: ValueError: ")
    assert missing == "name 'missing_name' is not defined: line 4 of root"
    assert of_the_test == "line 7 of f: ZeroDivisionError: division by zero"


def test_in_a_hidden_part_an_error_in_the_notebook_tells_no_text() -> None:
    parts = ["f(abs, 2)", "root(2)", "f(lambda y: 1 / 0, 2)"]
    assert _messages(_FAILS, *parts, hidden=True) == [
        "line 7 of f: ValueError was raised",
        "line 4 of root: NameError was raised",
        "line 7 of f: ZeroDivisionError was raised",
    ]


def test_a_missing_second_result_is_said_to_be_missing_by_the_notebook_too() -> None:
    student = "import numpy as np\ndef f(x):\n    return x\n"
    parts = ["out, grad = f(None)", "out, grad = f(2.5)", "out, grad = f(np.ones((3, 1)))"]
    assert _messages(student, "import numpy as np", *parts)[1:] == [
        "f returned None; two results were expected: (out, grad). Is a `return` missing?",
        "f returned one number (float); two results were expected: (out, grad)",
        "f returned one array, or another number of results (it does not unpack); two results "
        "were expected: (out, grad)",
    ]


def test_a_package_that_is_missing_is_named_by_the_notebook_at_each_test() -> None:
    student = "from no_such_package import expit\ndef f(x):\n    return expit(x)\n"
    for message in _messages(student, "f(1)", "f(2)"):
        assert message.startswith(
            "NameError: name 'f' is not defined. Its cell imports no_such_package, which is not "
            "installed here; matplotlib"
        )
    assert _messages(student, "f(1)", hidden=True) == ["NameError was raised"]
    inside = "def f(x):\n    import no_such_package\n"
    assert "no_such_package is not installed here; matplotlib" in _messages(inside, "f(1)")[0]


def test_what_a_stand_in_raises_tells_the_notebook_nothing_of_it() -> None:
    staff: dict[str, Any] = {"__name__": "staff.hw.hidden"}
    exec("def g(x):\n    return {}[x]\n", staff)
    students: dict[str, Any] = {}
    exec(compile("def f(x):\n    y = 2 * x\n    return g(y)\n", "<1>", "exec"), students)
    with cell(students, Checks=Checks, stand_in=staff["g"]) as names:
        exec(
            "checks = Checks('f', points=1)\nchecks.replace(g=stand_in)\n"
            "with checks('part', points=1):\n    f(1)\n",
            names,
        )
        assert names["checks"].parts[0].message == (
            "line 3 of f: a function that it calls there cannot take these arguments (KeyError)"
        )


def test_what_stays_in_the_notebook_is_not_called_remote() -> None:
    student = "def f():\n    return object()\n"
    assert _messages(student, "1.5 - f()") == [
        "TypeError: unsupported operand type(s) for -: 'float' and 'object'"
    ]


@pytest.mark.parametrize("hidden", [True, False])
def test_names_that_the_notebook_tells_forge_no_lines(hidden: bool) -> None:
    forged = "x\nFAILED  all [9 pt]\x1b[2J" + 1000 * "y"
    student = (
        f"FORGED = {forged!r}\ndef f():\n    raise type(FORGED, (Exception,), {{}})(FORGED)\n"
        "f.__code__ = f.__code__.replace(co_name=FORGED, co_qualname=FORGED)\n"
    )
    [message] = _messages(student, "f()", hidden=hidden)
    assert message.isprintable()
    assert message.startswith("line 3 of xFAILEDall9pt2Jyyy")
    assert len(message) < (200 if hidden else 1300)


# -- dishonest ends

Reply = Any  # a message; or bytes, which are sent as they are; or None: nothing is said any more


class Liar(Pair):
    """A far end that gives these answers, whatever it is asked, and then closes."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__()
        self.asked = 0
        threading.Thread(target=self.answer, args=[replies], daemon=True).start()

    def answer(self, replies: tuple[Reply, ...]) -> None:
        connection = wire.Connection(self.far, _wait)
        with contextlib.suppress(wire.Closed, OSError):
            for reply in replies:
                connection.receive(FROM_GRADER)
                self.asked += 1
                if type(reply) is bytes:
                    connection.send([reply])
                elif reply is not None:
                    connection.send(wire.pack(reply, _refer, FROM_SANDBOX))
            self.far.shutdown(socket.SHUT_WR)

    def expect_gone(self, ask: Callable[[Session], Any], why: str = "") -> None:
        """Expect that a question is the last one, and that the kernel is killed for it."""
        with pytest.raises(Gone, match=why or None):
            ask(self.session)
        assert self.kills == 1
        asked = self.asked
        for again in (
            ask,
            lambda session: session.get("x"),
            lambda session: session.put({"x": (1,)}),
        ):
            with pytest.raises(Gone, match=why or None):
                again(self.session)
        self.session.end_test()
        assert self.session.gone
        assert (self.kills, self.asked) == (1, asked)


def _wait(stream: socket.socket, writing: bool) -> None:
    select.select([] if writing else [stream], [stream] if writing else [], [], 10)


def _refer(value: Any) -> Any:
    return value if isinstance(value, Theirs | Yours) else None


def answer(value: Any, changes: Any = (), overwritten: Any = ()) -> list[Any]:
    """Return the message that answers a question."""
    return ["value", value, list(changes), list(overwritten)]


def raw(item: Any, body: bytes = b"") -> bytes:
    """Return a frame whose head is made by hand."""
    head = item if type(item) is bytes else msgpack.packb(item)
    return struct.pack(">II", len(head), len(body)) + head + body


def raw_answer(item: Any, body: bytes = b"") -> bytes:
    return raw([0, "value", item, [0], [0]], body)


def shown(reply: Any) -> str:
    return repr(reply)[:60]


GOOD = answer(1)
F, X = answer(Theirs(0, "function", "f")), answer(Theirs(0, "object", "x"))
NOT_ANSWERS: list[Reply] = [
    *(None, [], (), {}, 1, "value", tuple(GOOD), [GOOD], [None]),
    *([1, *GOOD[1:]], [None, *GOOD[1:]], [b"value", *GOOD[1:]], [["value"], *GOOD[1:]]),
    *(GOOD[:1], GOOD[:2], GOOD[:-1], [*GOOD, 1], GOOD * 2, ["Value", *GOOD[1:]], ["", *GOOD[1:]]),
    *([*GOOD[:-1], ()], [*GOOD[:-1], None], ["value", 1, (), []], ["value", 1, {}, []]),
    *(["ended"], ["missing", 1], ["return", 1], ["raise", 0, "x"], ["get", "x"], ["end"]),
    *(["error"], ["error", *"ab"], ["error", *"abcd"], ["error", 1, "text", "where"]),
    *(["error", "E", None, "where"], ["error", "E", "text", b"where"], ["refused"], ["refused", 1]),
    *(["refused", *"ab"], ["interrupted", 1], ["callback"], ["callback", 0], ["callback", 0, []]),
    *(["callback", 0, [], {}], ["callback", -1, [], {}], ["callback", None, [], {}]),
    *(["callback raised"], ["callback raised", 0], ["callback raised", None]),
    *(answer(Yours(0)), answer([Yours(-1)]), Yours(0), Theirs(0, "object", "list")),
    *(["value", 1, Theirs(1, "object", "list"), []], ["value", 1, [], Theirs(1, "object", "list")]),
    *(b"GET / HTTP/1.1\r\n\r\n", bytes(8), b"\xff" * 8, struct.pack(">II", 2**20 + 1, 0)),
    *(struct.pack(">II", 1, 2**31), raw_answer(1)[:-1], raw_answer(1, b"x"), raw({"a": 1})),
    *(raw_answer([3, "|O", [1]], bytes(8)), raw_answer([3, "<f8", [2]], bytes(8))),
    *(raw_answer([3, "<f8", [0, 2**31, 2**31]]), raw_answer([2, [0], 1]), raw_answer([99])),
    *(raw_answer([9, 0]), raw_answer({}), raw(b"\xc1"), raw(b"\x91" * 100_000)),
    raw(b"\xdd\xff\xff\xff\xff"),
]


def test_an_answer_that_fits_is_taken() -> None:
    liar = Liar(GOOD, raw_answer(1), raw_answer([3, "<f8", [1]], bytes(8)), ["missing"], F)
    assert (liar.session.get("x"), liar.session.get("x")) == (1, 1)
    assert liar.session.get("x").tolist() == [0.0]
    with pytest.raises(KeyError):
        liar.session.get("x")
    assert repr(liar.session.get("x")) == "<f in the notebook>"
    assert liar.kills == 0


@pytest.mark.parametrize("reply", NOT_ANSWERS, ids=shown)
def test_a_reply_that_is_no_answer_ends_the_session(reply: Reply) -> None:
    Liar(reply).expect_gone(lambda session: session.get("x"))


CHANGES: list[Any] = [
    *(1, [], [0], [0, [1], 2], [9, [1]], [-9, [1]]),
    *(["0", [1]], [None, [1]], [0.5, [1]], [[0], [1]]),
    *([0, 1], [0, "text"], [0, None], [0, (1,)], [0, np.ones(2)], [0, {}], [1, [1.0] * 4]),
    *([1, np.ones(3)], [1, 1.0], [1, np.ones((2, 2, 2))], [0, Theirs(5, "object", "list")]),
    *([Theirs(5, "object", "int"), [1]], Theirs(5, "object", "list")),
]


@pytest.mark.parametrize("change", CHANGES, ids=shown)
def test_a_change_that_fits_nothing_ends_the_session(change: Any) -> None:
    # Place 0 is a list and place 1 an array, in the argument and in what was returned before.
    things = ([], np.ones(4))
    of_arguments = Liar(F, answer(things), answer(1, [_two_behind(change)]))
    of_earlier_results = Liar(F, answer(things), answer(1, [], [change]))
    for liar in (of_arguments, of_earlier_results):
        function = liar.session.get("f")
        function()
        liar.expect_gone(lambda session, function=function: function(things))  # type: ignore[misc]


def _two_behind(change: Any) -> Any:
    """Count the lists of arguments, in which a change would be lost."""
    if type(change) is list and change and type(change[0]) is int:
        return [change[0] + 2, *change[1:]]
    return change


@pytest.mark.parametrize("named", [{1: 2}, {None: 1}, {b"x": 1}, {("x",): 1}], ids=shown)
def test_a_callback_with_names_that_are_none_ends_the_session(named: dict[Any, Any]) -> None:
    liar = Liar(F, ["callback", 0, [], named])
    function = liar.session.get("f")
    liar.expect_gone(lambda session: function(len))


@pytest.mark.parametrize(
    "reply", [["callback raised", 0], ["callback", 1, [], {}], answer(Yours(1))], ids=shown
)
def test_what_was_never_handed_over_or_raised_ends_the_session(reply: Reply) -> None:
    liar = Liar(F, reply)
    function = liar.session.get("f")
    liar.expect_gone(lambda session: function(len))


NOT_ENDS = [GOOD, ["missing"], ["error", "E", "text", "where"], ["refused", "why"], ["interrupted"]]
NOT_ENDS += [["ended", 1], ["callback raised", 0], ["callback", 0, [], {}], b"\xff" * 8, None]


@pytest.mark.parametrize("reply", NOT_ENDS, ids=shown)
def test_whatever_is_answered_to_the_end_of_a_test_raises_nothing(reply: Reply) -> None:
    liar = Liar(reply)
    liar.session.end_test()
    assert liar.session.gone
    assert liar.kills == 1


def test_an_exception_that_was_raised_in_the_test_is_no_answer_to_its_end() -> None:
    liar = Liar(F, ["callback", 0, [], {}], ["callback raised", 0], ["callback raised", 0])
    function = liar.session.get("f")
    with pytest.raises(TypeError):
        function(len)
    liar.session.end_test()
    assert liar.session.gone


ABOUT = [len, bool, iter, list, np.asarray, lambda x: x[0], lambda x: x.y, lambda x: np.ones(2) + x]


@pytest.mark.parametrize("ask", ABOUT)
@pytest.mark.parametrize("value", [None, "x", -1, 2**70, True, [1, 2, 3], X[1], 1.5], ids=shown)
def test_odd_answers_about_an_object_are_values_or_type_errors(
    ask: Callable[[Any], Any], value: Any
) -> None:
    liar = Liar(X, *[answer(value)] * 9)
    remote = liar.session.get("x")
    with contextlib.suppress(TypeError):
        ask(remote)
    assert liar.session.gone is None


def test_a_callback_that_hides_the_end_does_not_undo_it() -> None:
    liar = Liar(F, ["callback", 0, [], {}], raw(b"\xc1") + raw_answer("accepted"))
    function = liar.session.get("f")

    def ask_and_go_on() -> int:
        with contextlib.suppress(Exception):
            liar.session.get("x")
        return 1

    liar.expect_gone(lambda session: function(ask_and_go_on))


def test_name_text_and_place_of_an_exception_are_short() -> None:
    names = ["E" * 5000, "no name", "", "1", "é" * 300]
    liar = Liar(*[["error", name, "x" * 5000, "w" * 5000] for name in names])
    for _ in names:
        with pytest.raises(RemoteError) as caught:
            liar.session.get("x")
        assert len(str(caught.value)) <= 2000
        assert type(caught.value).__name__.isidentifier()
        assert len(type(caught.value).__name__) <= 200
        assert len(caught.value.raised_by) <= 200


def test_an_exception_is_never_one_of_the_graders_own() -> None:
    names = ["Gone", "TimeLimitReached", "Mismatch", "KeyboardInterrupt", "SystemExit", "TooMuch"]
    liar = Liar(*[["error", name, "", ""] for name in names])
    for name in names:
        with pytest.raises(RemoteError) as caught:
            liar.session.get("x")
        assert type(caught.value).__name__ == name
        assert not isinstance(caught.value, Mismatch | TooMuch)
    assert liar.kills == 0


def test_an_interrupt_that_nobody_sent_is_no_time_limit() -> None:
    liar = Liar(["interrupted"], GOOD)
    with pytest.raises(RemoteError, match="was interrupted"):
        liar.session.get("x")
    assert liar.session.get("x") == 1


def test_an_end_that_closes_is_gone_wherever_it_closes() -> None:
    Liar(None).expect_gone(lambda session: session.get("f")(1), "has ended")
    Liar(F, None).expect_gone(lambda session: session.get("f")(1), "has ended")
    Liar(F, raw_answer(1)[:9]).expect_gone(lambda session: session.get("f")(1), "has ended")
