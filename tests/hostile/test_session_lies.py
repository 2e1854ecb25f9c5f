"""If a kernel breaks the protocol, the session ends with `Gone`."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import pytest
from sessions import Pair, wait

from hw_grading.examiner.remote import Gone, RemoteError
from hw_grading.examiner.session import Session
from hw_grading.inside import wire
from hw_grading.inside.wire import FROM_GRADER, FROM_SANDBOX, Theirs, TooMuch, Yours
from hw_support.compare import Mismatch

Reply = Any  # a message; or bytes, which are sent as they are; or None: nothing is said any more


class Liar(Pair):
    """A far end that gives these answers, whatever it is asked, and then closes."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__()
        self.asked = 0
        threading.Thread(target=self.answer, args=[replies], daemon=True).start()

    def answer(self, replies: tuple[Reply, ...]) -> None:
        connection = wire.Connection(self.far, wait)
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
    *(["error"], ["error", *"ab"], ["error", *"abcd"], ["error", 1, "text", "where", 0]),
    *(
        ["error", "E", None, "where", 0],
        ["error", "E", "text", b"where", 0],
        ["refused"],
        ["refused", 1],
    ),
    *(["refused", *"ab"], ["interrupted", 1], ["callback"], ["callback", 0], ["callback", 0, []]),
    *(["callback", 0, [], {}], ["callback", -1, [], {}], ["callback", None, [], {}]),
    *(["callback raised"], ["callback raised", 0, "f", 1], ["callback raised", None, "f", 1]),
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
def test_a_reply_that_does_not_fit_ends_the_session(reply: Reply) -> None:
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
def test_a_callback_with_invalid_names_ends_the_session(named: dict[Any, Any]) -> None:
    liar = Liar(F, ["callback", 0, [], named])
    function = liar.session.get("f")
    liar.expect_gone(lambda session: function(len))


@pytest.mark.parametrize(
    "reply", [["callback raised", 0, "f", 1], ["callback", 1, [], {}], answer(Yours(1))], ids=shown
)
def test_an_unknown_function_or_exception_ends_the_session(reply: Reply) -> None:
    liar = Liar(F, reply)
    function = liar.session.get("f")
    liar.expect_gone(lambda session: function(len))


NOT_ENDS = [
    GOOD,
    ["missing"],
    ["error", "E", "text", "where", 0],
    ["refused", "why"],
    ["interrupted"],
]
NOT_ENDS += [
    ["ended", 1],
    ["callback raised", 0, "f", 1],
    ["callback", 0, [], {}],
    b"\xff" * 8,
    None,
]


@pytest.mark.parametrize("reply", NOT_ENDS, ids=shown)
def test_whatever_is_answered_to_the_end_of_a_test_raises_nothing(reply: Reply) -> None:
    liar = Liar(reply)
    liar.session.end_test()
    assert liar.session.gone
    assert liar.kills == 1


def test_an_exception_that_was_raised_in_the_test_is_no_answer_to_its_end() -> None:
    liar = Liar(
        F, ["callback", 0, [], {}], ["callback raised", 0, "f", 1], ["callback raised", 0, "f", 1]
    )
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
    liar = Liar(*[["error", name, "x" * 5000, "w" * 5000, 0] for name in names])
    for _ in names:
        with pytest.raises(RemoteError) as caught:
            liar.session.get("x")
        assert len(str(caught.value)) <= 2000
        assert type(caught.value).__name__.isidentifier()
        assert len(type(caught.value).__name__) <= 200
        assert len(caught.value.raised_by) <= 200


def test_an_exception_is_never_one_of_the_graders_own() -> None:
    names = ["Gone", "TimeLimitReached", "Mismatch", "KeyboardInterrupt", "SystemExit", "TooMuch"]
    liar = Liar(*[["error", name, "", "", 0] for name in names])
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


def test_a_connection_that_closes_at_any_point_raises_gone() -> None:
    Liar(None).expect_gone(lambda session: session.get("f")(1), "has ended")
    Liar(F, None).expect_gone(lambda session: session.get("f")(1), "has ended")
    Liar(F, raw_answer(1)[:9]).expect_gone(lambda session: session.get("f")(1), "has ended")
