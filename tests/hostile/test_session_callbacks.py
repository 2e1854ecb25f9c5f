"""Functions that a test passes to the notebook, which calls them."""

import concurrent.futures
import contextlib
import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from sessions import Kernel, asking

from hw_grading.examiner.remote import Gone, RemoteError
from hw_grading.inside.wire import TooMuch
from hw_support.compare import Mismatch


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
    with asking(keep=lambda *f: [*f, {"last": f[-1]}]) as session:
        came = session.get("keep")(*functions, functions[0])
        assert all(a is b for a, b in zip(came, functions, strict=False))
        assert came[-1]["last"] is functions[0]


def test_the_name_of_a_function_of_the_test_is_not_sent() -> None:
    def cube(x: float) -> float:
        return x**3

    def names(f: Any) -> list[str]:
        return [f.__name__, f.__qualname__, repr(f)]

    with asking(names=names) as session:
        for function in (cube, len, lambda: 1, np.tanh):
            name, qualified, shown = session.get("names")(function)
            assert (name, qualified) == ("function", "function")
            assert shown.startswith("<function function at ")


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


def test_callbacks_may_ask_questions() -> None:
    def countdown(f: Any, n: int) -> int:
        return n and 1 + f(f, n - 1)

    with asking(countdown=countdown, base=10) as session:
        remote = session.get("countdown")
        assert remote(lambda f, n: remote(f, n), 8) == 8
        assert remote(lambda f, n: n + session.get("base"), 1) == 11


def test_nested_calls_are_limited() -> None:
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
def test_nested_calls_of_many_functions_get_their_own_answers(frames: int) -> None:
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


def in_threads(f: Any, inputs: list[int]) -> list[Any]:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(f, inputs))


def test_threads_can_call_functions_of_the_test() -> None:
    inputs = list(range(50))
    with asking(in_threads=in_threads) as session:
        came = session.get("in_threads")(lambda x: x**2, inputs)
        assert list(came) == [x**2 for x in inputs]
        assert list(session.get("in_threads")(abs, inputs)) == inputs


def test_a_function_that_threads_call_may_call_the_student_whose_threads_call_back() -> None:
    with asking(in_threads=in_threads) as session:
        own = session.get("in_threads")
        came = own(lambda x: sum(own(lambda y: x * y, [1, 2, 3])), list(range(5)))
        assert list(came) == [0, 6, 12, 18, 24]


def test_an_error_that_a_thread_gets_ends_the_call() -> None:
    def fails(x: int) -> int:
        raise ZeroDivisionError(x)

    with asking(in_threads=in_threads) as session:
        with pytest.raises(ZeroDivisionError):
            session.get("in_threads")(fails, [1, 2, 3])
        assert list(session.get("in_threads")(abs, [-1])) == [1]


def test_a_thread_cannot_call_a_function_after_its_test_has_ended() -> None:
    ended, said = threading.Event(), []

    def leaves(f: Any) -> None:
        def work() -> None:
            ended.wait(60)
            try:
                said.append(f(1))
            except RuntimeError as error:
                said.append(str(error))

        threads.append(threading.Thread(target=work))
        threads[0].start()

    threads: list[threading.Thread] = []
    with asking(leaves=leaves) as session:
        session.get("leaves")(lambda x: x)
    ended.set()
    threads[0].join()
    assert said == ["the test that passed this function has ended"]
