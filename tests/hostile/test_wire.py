"""The codec: plain values come back unchanged, and forged frames only raise `WireError`."""

import contextlib
import socket
import struct
import tracemalloc
from collections.abc import Iterator
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sessions import refer

from hw_grading.answering import wire
from hw_grading.answering.wire import (
    MAX_BYTES,
    MAX_HEAD,
    Closed,
    Connection,
    Shipped,
    Tag,
    Theirs,
    TooMuch,
    WireError,
    Yours,
)

DTYPES = ["?", "i1", "u1", "<i2", ">i4", "<i8", ">u2", "<u8", ">f4", "<f8", ">f8", "<c8", ">c16"]


def no_resolve(_: Any) -> Any:
    raise WireError("nothing was handed over")


def head_and_body(value: Any) -> tuple[bytes, bytes]:
    whole = b"".join(wire.pack(value, refer, limited=True))
    head, body = struct.unpack(">II", whole[:8])
    assert len(whole) == 8 + head + body
    return whole[8 : 8 + head], whole[8 + head :]


def back(value: Any) -> Any:
    return wire.unpack(*head_and_body(value), lambda reference: reference, limited=True)


def decode(item: Any, body: bytes = b"") -> Any:
    """Decode a hand-made frame. Its head is bytes, or a value that MessagePack encodes."""
    head = item if type(item) is bytes else msgpack.packb(item)
    return wire.unpack(head, body, no_resolve, limited=True)


def bits(value: Any) -> Any:
    """Return something that is equal only for values of the same type and the same bits."""
    kind = type(value)
    if kind is float:
        return kind, struct.pack("<d", value)
    if isinstance(value, np.ndarray | np.generic):
        return kind, value.dtype.str, value.shape, value.tobytes()
    if kind in (list, tuple):
        return kind, [bits(entry) for entry in value]
    if kind is dict:
        return kind, [(bits(key), bits(entry)) for key, entry in value.items()]
    return kind, value


# -- values that are sent


PLAIN: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | arrays.arrays(st.sampled_from(DTYPES), arrays.array_shapes(min_dims=0, min_side=0)),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"])) | st.integers(0, 9), inner
        )
    ),
    max_leaves=20,
)


@given(PLAIN)
@example([None, True, 1, 1.0, 2**64 - 1, -(2**63), -0.0, 5e-324, float("nan"), "ü😀\0"])
@example([(), [[]], {"a": [1, (2.0, None)], 3: {(4, "b"): b"c"}}, [0.5] * 100])
@example([np.float32(1), np.float64(2), np.bool_(True), np.arange(24.0).reshape(4, 6)[:, ::2].T])
@example([np.frombuffer(bytes(range(2)) * 48, dtype) for dtype in DTYPES])
def test_any_plain_value_comes_back(value: Any) -> None:
    assert bits(back([value, {"": (value,)}])) == bits([value, {"": (value,)}])


def test_an_array_that_comes_twice_is_writable_and_has_two_copies() -> None:
    array = np.arange(3)
    one, two = back([array, array])
    one[...] = 0
    assert bits(two) == bits(array)


def test_small_floats_arrive_as_doubles_and_bools_as_proper_ones() -> None:
    assert back(np.ones(3, "f2")).dtype == np.float64
    assert decode([Tag.ARRAY, "|b1", [3]], b"\0\2\xff").view("u1").tolist() == [0, 1, 1]


def test_lone_surrogates_become_question_marks() -> None:
    assert back(["a\ud800b", {"\udfff": 1}]) == ["a?b", {"?": 1}]


def test_references_go_both_ways() -> None:
    values = [Theirs(1, True, "f"), Yours(2), Shipped("module", "name")]
    assert back(values) == values
    seen = back([Theirs(3, False, "x" * 1000, [1, Theirs(4, False, "é", np.ones(2))])])[0]
    assert (seen.number, len(seen.type_name), seen.view[0]) == (3, 100, 1)
    assert seen.view[1].view.tolist() == [1.0, 1.0]


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (2**64, "an integer of 65 bits"),
        (LOOP, "more than 32 deep"),
        (np.zeros(MAX_BYTES // 8 + 1, "?"), "arrays of more than 48 MB"),
        ([np.zeros(MAX_BYTES // 16 + 1)] * 2, "arrays of more than 48 MB"),
        (np.zeros((0, 2**41)), "arrays of more than 48 MB"),
        ([None] * (MAX_HEAD // 2), "more than 2 MB of lists and texts"),
        ("x" * MAX_HEAD, "more than 2 MB of lists and texts"),
        ([{n: n for n in range(1500)}] * 2, "dicts of more than 2,000 entries"),
        (1j, "type complex, which is not plain data"),
        (np.array(["a"]), "type ndarray"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_value_that_cannot_be_sent_is_refused_with_a_sentence(value: Any, why: str) -> None:
    with pytest.raises(TooMuch, match=why):
        wire.pack(value, refer, limited=True)


def test_values_at_the_limits_are_sent() -> None:
    big = [np.zeros(MAX_BYTES // 8), [0.5] * 100_000, dict.fromkeys(range(2_000), "")]
    assert bits(back(big)) == bits(big)


def test_the_graders_values_have_no_limit() -> None:
    pieces = wire.pack([np.zeros(MAX_BYTES // 4, "u1"), "x" * MAX_HEAD], refer, limited=False)
    head, body = pieces[0][8:], b"".join(pieces[1:])
    assert len(wire.unpack(head, body, no_resolve, limited=False)[1]) == MAX_HEAD


# -- forged frames

A = int(Tag.ARRAY)


@pytest.mark.parametrize(
    ("item", "body"),
    [
        (b"\xdd\xff\xff\xff\xff", b""),  # announces 2**32 entries
        (b"\xa1\xff", b""),  # no UTF-8
        (msgpack.packb({1: 2}), b""),
        (msgpack.packb(msgpack.Timestamp(1)), b""),
        (b"\x91" * 100_000 + b"\xc0", b""),
        *(([], b""), ([99], b""), (["x"], b""), ([0, []], b""), ([2, 1], b""), ([2, [0], 1], b"")),
        *(([A, "<f8", [1]], b"1234567"), ([A, "<f8", [0]], b"1"), ([A, "<f8", [-1]], b"")),
        *(([A, "<f8", [0, 2**41]], b""), ([A, "<f8", [1] * 40], b""), ([A, "|O", [1]], bytes(8))),
        *(([A, "<f8,<i4", [1]], bytes(12)), ([A, "<M8[ns]", [1]], b"")),
        *(([A, "<f8", [1.0]], bytes(8)), ([A, "<f16", [1]], bytes(16)), ([A, 8, [1]], bytes(8))),
        ([A, "|b1", [MAX_BYTES // 8 + 1]], bytes(MAX_BYTES // 8 + 1)),
        ([2, *range(4_002)], b""),
        *(([4, 1, True, "f", None], b""), ([5, 0], b""), ([6, "os", "system"], b"")),
        *(([4, 1, 1, "f", None], b""), ([4, 1, True, "f", "view"], b""), ([5, "0"], b"")),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_forged_frame_is_refused(item: Any, body: bytes) -> None:
    with pytest.raises(WireError):
        decode(item, body)


@pytest.mark.parametrize(
    ("item", "body"),
    [
        (b"\xdd\0\x1f\0\0" + b"\x80" * MAX_HEAD, b""),  # maps
        ([A, "|b1", [MAX_BYTES // 8]], bytes(MAX_BYTES // 8)),
    ],
    ids=["empty maps", "bools"],
)
def test_no_frame_takes_much_memory(item: Any, body: bytes) -> None:
    tracemalloc.start()
    try:
        decode(item, body)
    except WireError:
        pass
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 160 << 20


ITEMS: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 9) | st.floats() | st.sampled_from(["<f8", "|b1"]),
    st.lists,
    max_leaves=20,
)


@given(st.binary() | ITEMS, st.binary(max_size=40))
def test_anything_is_a_value_or_a_wire_error(item: Any, body: bytes) -> None:
    with contextlib.suppress(WireError):
        decode(item, body)


# -- connections


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection, and the socket at its other end."""
    one, other = socket.socketpair()
    with one, other:
        yield Connection(one), other


@pytest.mark.parametrize(("head", "body"), [(MAX_HEAD + 1, 0), (1, MAX_BYTES + 1), (2**32 - 1, 0)])
def test_a_frame_that_announces_too_much_is_refused_unread(
    ends: tuple[Connection, socket.socket], head: int, body: int
) -> None:
    connection, other = ends
    other.send(struct.pack(">II", head, body))
    with pytest.raises(WireError, match="a frame of"):
        connection.receive(limited=True)


def test_an_announced_length_alone_takes_no_memory_and_an_end_that_is_gone_is_closed(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, other = ends
    other.send(struct.pack(">II", 1, MAX_BYTES) + b"x")
    other.close()
    tracemalloc.start()
    with pytest.raises(Closed):
        connection.receive(limited=True)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
    with pytest.raises(Closed):
        connection.send([bytes(10)])
