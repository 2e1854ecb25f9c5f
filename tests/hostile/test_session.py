"""The examiner's session with an honest kernel, which answers as a notebook would."""

import copy
import random
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sessions import Kernel, asking

from hw_grading.examiner.remote import Remote, RemoteError
from hw_grading.inside.wire import TooMuch
from hw_support.compare import Mismatch


def _set_shape(x: Any, shape: tuple[int, ...]) -> None:
    with warnings.catch_warnings():  # students use it anyway
        warnings.simplefilter("ignore", DeprecationWarning)
        x.shape = shape


# -- names and values


def test_a_name_has_its_value_in_the_notebook() -> None:
    losses = [0.5] * 20
    with asking(losses=losses, x=np.arange(3), none=None, pair=(1, {"a": "b"})) as session:
        assert session.get("losses") == losses
        assert session.get("none") is None
        assert session.get("pair") == (1, {"a": "b"})
        np.testing.assert_array_equal(session.get("x"), np.arange(3))
        with pytest.raises(KeyError, match="missing"):
            session.get("missing")


def test_a_received_value_is_a_copy() -> None:
    losses = [1.0, 2.0]
    with asking(losses=losses) as session:
        session.get("losses").append(3.0)
    assert losses == [1.0, 2.0]


def test_a_replaced_name_is_restored_on_request() -> None:
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


def test_a_test_does_not_change_random_generators() -> None:
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


def test_changes_in_place_are_repeated_at_the_caller() -> None:
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


def test_an_overwritten_earlier_result_is_overwritten_at_the_caller() -> None:
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


def test_a_lost_result_is_not_counted_among_earlier_results() -> None:
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


def test_an_exception_has_the_name_and_the_text_of_the_students() -> None:
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
        with pytest.raises(NotImplementedError) as unanswered:
            session.get("unfinished")()
        assert isinstance(unanswered.value, RemoteError)
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


def test_a_result_that_is_too_large_fails_only_the_call() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with asking(cyclic=lambda: endless, long=lambda: ["x"] * 10_001, fine=lambda: 1) as session:
        for name, why in (("cyclic", "contain itself"), ("long", "10,001 entries")):
            with pytest.raises(Mismatch, match=why):
                session.get(name)()
        assert session.get("fine")() == 1


def test_an_argument_that_is_too_large_is_the_tests_own_mistake() -> None:
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


# -- objects that stay in the notebook


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


def test_objects_stay_in_the_notebook_and_can_be_asked() -> None:
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


def test_a_proxy_can_be_copied_and_be_a_key() -> None:
    with asking(cache=Cache()) as session:
        remote = session.get("cache")
        assert {remote: 1}[remote] == 1
        assert copy.copy(remote)["a"] == [1, 2]
        assert copy.deepcopy([remote])[0]["a"] == [1, 2]
