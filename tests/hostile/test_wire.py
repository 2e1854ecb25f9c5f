"""The codec: plain values come back unchanged, and bad frames only raise `WireError`."""

import collections
import contextlib
import decimal
import enum
import fractions
import socket
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sessions import wait

from hw_grading.inside import wire
from hw_grading.inside.wire import (
    FROM_GRADER,
    FROM_SANDBOX,
    Caps,
    Closed,
    Connection,
    Theirs,
    TooMuch,
    WireError,
    Yours,
)
from hw_grading.inside.wire.encoding import Refer
from hw_grading.inside.wire.message import Tag

MB = 1 << 20
BODY, ENTRIES = FROM_SANDBOX.body_bytes, FROM_SANDBOX.array_entries
DTYPES = ["?", "i1", "u1", "<i2", ">i4", "<i8", ">u2", "<u8", ">f4", "<f8", ">f8"]
DTYPES += ["<c8", ">c16"]


def no_reference(_: Any) -> None:
    """Refer to nothing: plain data is sent by value, and nothing else is sent."""


def no_resolve(_: Any) -> Any:
    raise WireError("nothing was handed over")


def frame(value: Any, refer: Refer = no_reference, caps: Caps = FROM_SANDBOX) -> bytes:
    return b"".join(bytes(piece) for piece in wire.pack(value, refer, caps))


def head_and_body(whole: bytes) -> tuple[bytes, bytearray]:
    head, body = struct.unpack(">II", whole[:8])
    assert len(whole) == 8 + head + body
    return whole[8 : 8 + head], bytearray(whole[8 + head :])


def back(value: Any) -> Any:
    return wire.unpack(*head_and_body(frame(value)), no_resolve, FROM_SANDBOX)


def decode(item: Any, body: bytes = b"") -> Any:
    """Decode a hand-made frame. Its head is bytes, or a value that MessagePack encodes."""
    head = item if type(item) is bytes else msgpack.packb(item)
    return wire.unpack(head, bytearray(body), no_resolve, FROM_SANDBOX)


def bits(value: Any) -> Any:
    """Return something that is equal only for values of the same type and the same bits."""
    kind = type(value)
    if kind is float:
        return kind, struct.pack("<d", value)
    if kind is complex:
        return kind, bits(value.real), bits(value.imag)
    if isinstance(value, np.ndarray | np.generic):
        return kind, value.dtype.str, value.shape, value.tobytes()
    if kind in (list, tuple):
        return kind, [bits(entry) for entry in value]
    if kind is dict:
        return kind, [(bits(key), bits(entry)) for key, entry in value.items()]
    return kind, value


# -- values that are sent

SCALARS = [
    *(None, True, False, 0, -1, 127, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 2**8192 - 1),
    *(-(2**8192) + 1, 0.0, -0.0, 5e-324, float("nan"), float("inf"), -float("inf")),
    *(1j, complex("nan-infj"), -0j, "", "ü😀\0", "x" * 100_000, b"", bytes(range(256))),
]
CONTAINERS = [
    *([], (), {}, [[]], ([], {}), {"a": [1, (2.0, None)], 3: {(4, "b"): b"c"}, None: True}),
    *({1: "int", "1": "str", (1,): "tuple"}, [1, 2.0, True], [[[[1]]]], ["text"] * 10_000),
]
NUMBERS = [
    *([0.5] * 16, [-0.0, float("nan")] * 8, list(range(20)), [True, False] * 8),
    *([2**63 - 1, -(2**63)] * 8, [0] * 200_000),
]
MIXED = [[1, 2.0] * 8, [True, 1] * 8, [2**63] * 16, [None] * 16, [np.float64(1)] * 16]


@pytest.mark.parametrize("value", [*SCALARS, *CONTAINERS], ids=lambda value: repr(value)[:20])
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    assert bits(back(value)) == bits(value)
    assert bits(back([value, {"": (value,)}])) == bits([value, {"": (value,)}])


@pytest.mark.parametrize("values", NUMBERS, ids=lambda values: repr(values)[:20])
def test_lists_of_numbers_travel_packed_and_come_back_as_lists(values: list[Any]) -> None:
    head, body = head_and_body(frame(values))
    assert len(head) < 20 < len(body) + 5
    assert bits(back(values)) == bits(values)
    assert bits(back(tuple(values))) == bits(tuple(values))


@pytest.mark.parametrize("values", MIXED, ids=lambda values: repr(values)[:20])
def test_lists_of_several_types_keep_the_type_of_each_entry(values: list[Any]) -> None:
    assert bits(back(values)) == bits(values)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_keep_type_byte_order_shape_and_bits(dtype: str) -> None:
    whole = np.arange(24).reshape(4, 6).astype(dtype)
    pieces = [whole, whole[::-2, 1::2], whole.T, whole[0, 0], whole[:0], np.array(1, dtype)]
    pieces += [np.asfortranarray(whole), np.zeros((2, 0, 3), dtype)]
    pieces += [np.broadcast_to(whole, (2, 4, 6))]
    for array in pieces:
        came = back(array)
        assert bits(came) == bits(array)
        if type(came) is np.ndarray:
            assert came.flags.writeable
            assert came.flags.c_contiguous
    assert bits(back([whole, whole[:0], {"b": whole}])) == bits([whole, whole[:0], {"b": whole}])


@pytest.mark.parametrize("dtype", ["<f2", ">f2"])
def test_small_floats_arrive_as_doubles_and_count_as_such_at_both_ends(dtype: str) -> None:
    array = np.array([[0.5, -np.inf], [6.0e-8, 3.0]], dtype)
    assert bits(back(array)) == bits(array.astype(float))
    assert bits(back([array[0, 0], array[:0]])) == bits([np.float64(0.5), np.empty((0, 2))])
    sent, came = (wire.Remembered(most_bytes=500) for _ in range(2))
    for _ in range(9):
        sent.add(array)
        came.add(back(array))
    assert [thing is None for thing in sent.things] == [thing is None for thing in came.things]


def test_a_small_array_does_not_keep_the_body_of_its_frame() -> None:
    body = bytearray(16)
    array = wire.unpack(msgpack.packb([3, "<f8", [2]]), body, no_resolve, FROM_SANDBOX)
    body.clear()  # which a view of it would forbid
    assert array.tolist() == [0.0, 0.0]


def test_large_arrays_of_one_frame_share_no_memory() -> None:
    arrays = [np.full(MB, 1.0), np.full(3, 2.0), np.full(MB, 3.0), np.full(2 * MB, True)]
    came = back(arrays)
    for array in came:
        array[...] = 0
    assert bits(back(arrays)) == bits(arrays)
    came[0][...] = 5
    assert not came[1].any()
    assert not came[2].any()


def test_lone_surrogates_become_question_marks() -> None:
    assert back("a\ud800b") == "a?b"
    assert back({"\udfff": ["\ud800"]}) == {"?": ["?"]}


def test_arrays_with_many_dimensions_or_none_of_something_are_refused_or_come_back() -> None:
    for array in (np.ones((1,) * 33), np.ones((0, 2**33)), np.ones((0, 2**31, 2**27))):
        try:
            whole = frame(array)
        except TooMuch:
            continue
        assert bits(wire.unpack(*head_and_body(whole), no_resolve, FROM_SANDBOX)) == bits(array)


def test_references_go_both_ways() -> None:
    theirs, yours, seen = Theirs(7, "function", "sigmoid"), Yours(3), []
    known = {id(print): theirs, id(len): yours}

    def resolve(reference: Theirs | Yours) -> str:
        seen.append(reference)
        return "resolved"

    whole = frame([print, {"f": len}], lambda value: known.get(id(value)))
    came = wire.unpack(*head_and_body(whole), resolve, FROM_SANDBOX)
    assert came == ["resolved", {"f": "resolved"}]
    assert seen == [theirs, yours]


def test_the_name_of_a_reference_is_short_text() -> None:
    long = Theirs(0, "object", "\ud800" + "x" * 500)
    whole = frame([print], lambda value: long if value is print else None)
    seen: list[Any] = []
    wire.unpack(*head_and_body(whole), seen.append, FROM_SANDBOX)
    assert seen == [Theirs(0, "object", "?" + "x" * 99)]


# -- values that the encoder refuses


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def cyclic(width: int) -> list[Any]:
    value: list[Any] = []
    value += [value] * width
    return value


def cyclic_dict() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = (value,)
    return value


class Whole(enum.IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


class Pair(collections.namedtuple("Pair", "a b")):
    __slots__ = ()


REFUSED_BY_ENCODER: dict[str, tuple[Callable[[], Any], str]] = {
    "too deep": (lambda: nested(33), "more than 32 deep"),
    "cyclic": (lambda: cyclic(1), "contain itself"),
    "cyclic and wide": (lambda: cyclic(12), "contain itself"),
    "a cyclic dict": (cyclic_dict, "contain itself"),
    "a list of too many": (lambda: ["x"] * 10_001, "10,001 entries in one list"),
    "a dict of too many": (lambda: dict.fromkeys(range(10_001)), "10,001 entries in one dict"),
    "too many altogether": (lambda: [["x"] * 9_999] * 11, "more than 100,000 values"),
    "too many numbers": (lambda: [0.0] * 1_000_001, "more than 1,000,000 numbers"),
    "too many in two lists": (lambda: [[0] * 600_000] * 2, "more than 1,000,000 numbers"),
    "an array too large": (lambda: np.zeros(BODY + 1, "u1"), f"more than {BODY:,} bytes"),
    "arrays too large": (lambda: [np.zeros(BODY // 16, "c16")] * 2, f"more than {BODY:,} bytes"),
    "arrays of too many": (lambda: [np.zeros(ENTRIES // 2 + 1, "?")] * 2, "of more than 6,291,456"),
    "endless": (lambda: np.broadcast_to(1.0, (10**6, 10**6)), f"more than {BODY:,} bytes"),
    "long text": (lambda: "x" * MB, "a structure of 1,048,581 bytes"),
    "much text": (lambda: ["x" * 1000] * 2000, "a structure of"),
    "a huge int": (lambda: 1 << 8192, "an integer of 8,193 bits"),
    "huge ints": (lambda: [-(1 << 9000)] * 20, "an integer of 9,001 bits"),
}
FOREIGN = [
    *({1}, frozenset(), range(3), iter(()), bytearray(b"x"), memoryview(b"x"), object(), print),
    *(int, fractions.Fraction(1, 2), decimal.Decimal(1), Whole.ONE, Text("x"), Pair(1, 2)),
    *(slice(1), collections.OrderedDict(a=1), np.float64, np.dtype("f8")),
    *(np.ma.masked_array([1.0]), np.zeros(2).view(np.recarray), np.array([], object)),
    *(np.array([None]), np.zeros(2, "f8,i4"), np.array(["x"]), np.array([b"x"]), np.void(b"x")),
    *(np.zeros(2, "M8[ns]"), np.zeros(2, "m8[s]"), np.datetime64("2024-01-01")),
    *(np.timedelta64(1, "s"), np.str_("x"), np.bytes_(b"x")),
    *(np.zeros(2, "V4"), np.longdouble(1), np.zeros(2, "g"), np.clongdouble(1), np.zeros(2, "G")),
]


@pytest.mark.parametrize(
    ("make", "sentence"), REFUSED_BY_ENCODER.values(), ids=REFUSED_BY_ENCODER.keys()
)
def test_a_value_that_is_too_large_is_refused_with_a_sentence(
    make: Callable[[], Any], sentence: str
) -> None:
    with pytest.raises(TooMuch, match=sentence):
        frame(make())


@pytest.mark.parametrize("value", FOREIGN, ids=lambda value: type(value).__name__)
def test_a_value_that_is_not_plain_data_is_refused_with_a_sentence(value: Any) -> None:
    for holder in (value, [value], {"key": (value,)}):
        with pytest.raises(TooMuch, match="not plain data"):
            frame(holder)


def test_values_at_the_limits_are_sent() -> None:
    for value in (nested(31), dict.fromkeys(range(10_000)), [0.0] * 1_000_000, "x" * (MB - 5)):
        assert back(value) == value
    assert back(np.zeros(BODY // 16, "c16")).nbytes == BODY
    assert back(np.zeros(ENTRIES, "?")).size == ENTRIES
    assert len(back([["x"] * 9_998] * 10)) == 10


# -- frames that the decoder refuses

A = Tag.ARRAY
REFUSED_BY_DECODER: dict[str, tuple[Any, bytes]] = {
    **{
        f"tag {tag!r}": ([tag, 1], b"")
        for tag in (10, 99, -1, 2**63, 1.5, "0", b"\0", None, float("nan"), [], [0])
    },
    "no tag": ([], b""),
    "an odd dict": ([2, 1], b""),
    **{
        f"arity {item!r}": (item, bytes(64))
        for item in (
            *([A], [A, "<f8"], [A, "<f8", [1], 1], [4, "list", "<f8"], [5], [5, "<f8", []], [6]),
            *([4, "list", "<f8", 1, 1], [6, "0x1", 1], [7, 1.0], [7, 1.0, 1.0, 1.0], [8], [9]),
            *([8, 1, "object"], [8, 1, "object", "x", 1], [9, 1, 1], [9]),
        )
    },
    **{
        f"types {item!r}": (item, bytes(64))
        for item in (
            *([A, 8, [1]], [A, b"<f8", [1]], [A, "<f8", 1], [A, "<f8", "1"], [A, "<f8", [[1]]]),
            *([A, "<f8", None], [A, "<f8", ["1"]], [A, "<f8", [None]], [5, 8], [5, None]),
            *([4, "dict", "<f8", 1], [4, "set", "<f8", 1], [4, 0, "<f8", 1], [4, "list", 8, 1]),
            *([4, "list", "<f8", 1.0], [4, "list", "<f8", True], [4, "list", "<f8", [1]]),
            *([6, 1], [6, b"0x1"], [6, ""], [6, "0x"], [6, "0xg"], [6, "1.0"]),
            *([6, "0x" + "f" * 2050], [7, 1, 1], [7, "1", "1"], [8, "1", "object", "x"]),
            *([8, 1.0, "object", "x"], [8, 1, "type", "x"], [8, 1, 0, "x"], [8, 1, "object", 1]),
            *([9, "1"], [9, 1.0], [9, None]),
        )
    },
    **{
        f"dtype {dtype!r}": ([A, dtype, [1]], bytes(64))
        for dtype in (
            *("", "|O", "O8", "|O8", "<O8", "f8", "float64", "d", "=f8", "<f8,<i4", "<f8, <i4"),
            *("<f8<f8", "(2,)<f8", "2<f8", "<f8[2]", "<M8[ns]", "<M8", "<m8[s]", "|S8", "<U1"),
            *("|V8", "<f16", "<c32", "<g", "<G", "<f0", "<f1", "<f3", "<i16", "<u128", "<b8"),
            *("|b2", "<f-8", "<f8\0", "<f8\n", " <f8", "<f٨", "|T16", "<i4x"),
            "{'names': ['a'], 'formats': ['<f8']}",
        )
    },
    **{
        f"{len(shape)} sides {shape!r}"[:40]: ([A, "<f8", shape], bytes(64))
        for shape in (
            *([-1], [-8, -1], [8, -1], [2**63], [2**64 - 1], [2**32, 2**32], [2**40] * 32),
            *([True], [8, True], [8.0], [1.0, 8], [None], ["8"], [[8]], [9], [7], [2, 3], [0]),
            *([1] * 33, [8] + [1] * 32, [1] * 64, [1] * 1000, [0] * 33),
            *([0, 2**40], [0, 2**63], [0, -1], [0, True], [0, 0.0], [2**61 + 1], [2**62, 2**62, 4]),
            *([0, 2**31, 2**31], [2**31, 2**31, 0], [0] + [2**31] * 31),
        )
    },
    "a length below 0": ([4, "list", "<f8", -1], b""),
    "lengths that sum to 0": ([0, [4, "list", "<f8", 1], [4, "list", "<f8", -1]], bytes(8)),
    "a length of much": ([4, "list", "<f8", 2**63], bytes(8)),
    "too many numbers": ([4, "list", "|b1", 1_000_001], bytes(1_000_001)),
    "too many in two lists": ([0, *[[4, "list", "|b1", 600_000]] * 2], bytes(1_200_000)),
    "an array without bytes": ([A, "<f8", [1]], b""),
    "one byte too few": ([A, "<f8", [1]], bytes(7)),
    "one byte too many": ([A, "<f8", [1]], bytes(9)),
    "too few for the second": ([0, *[[A, "<f8", [1]]] * 2], bytes(15)),
    "bytes that are not used": (1, b"x"),
    "too few numbers": ([4, "list", "<f8", 2], bytes(8)),
    "a scalar without bytes": ([5, "<f8"], b""),
    "a map": ({"a": 1}, b""),
    "an empty map": ({}, b""),
    "a map in a list": ([0, {}], b""),
    "an extension": (msgpack.ExtType(5, b"x"), b""),
    "an empty extension": ([0, msgpack.ExtType(5, b"")], b""),
    "a timestamp": (msgpack.Timestamp(1, 1), b""),
    "an unhashable key": ([2, [0], 1], b""),
    "an array as a key": ([2, [A, "<f8", [1]], 1], bytes(8)),
    "a tuple of lists as a key": ([2, [1, [0]], 1], b""),
    "a reference to nothing": ([9, 0], b""),
    "too many values": ([0, *[[0, *[None] * 9_999]] * 11], b""),
    "too many entries": ([0, *[None] * 20_001], b""),
    "invalid UTF-8": (b"\xa2\xff\xfe", b""),
    "a surrogate in UTF-8": (b"\xa3\xed\xa0\x80", b""),
    "a tag that is never used": (b"\xc1", b""),
    "no head": (b"", b""),
    "a second value": (b"\x01\x02", b""),
    "a byte after the head": (b"\x91\x00\x00", b""),
    **{
        f"declared length {head.hex()}": (head + b"x" * 40, b"")
        for head in (b"\xdd", b"\xdb", b"\xc6", b"\xdf", b"\xc9")
        for head in (head + b"\xff" * 4, head + b"\x7f\xff\xff\xff", head + b"\0\x0f\xff\xff")
    },
    **{
        f"{depth:,} deep {opening.hex()}": (opening * depth + b"\xc0", b"")
        for depth in (40, 600, 100_000)
        for opening in (b"\x91", b"\x92\0", b"\x92\1", b"\x93\2\0", b"\xdd\0\0\0\2\0", b"\x81\0")
    },
}


@pytest.mark.parametrize(
    ("item", "body"), REFUSED_BY_DECODER.values(), ids=REFUSED_BY_DECODER.keys()
)
def test_a_forged_frame_is_refused(item: Any, body: bytes) -> None:
    with pytest.raises(WireError):
        decode(item, body)


def test_every_text_of_a_dtype_gives_a_plain_number_or_is_refused() -> None:
    for kind in "?bBhHiIlLqQefdgFDGSaUVOmMpPNncuT":
        for text in (f"{order}{kind}{size}" for order in "<>|=" for size in range(100)):
            try:
                array = decode([A, text, [0]])
            except WireError:
                continue
            assert array.dtype.kind in "biufc"
            assert 1 <= array.dtype.itemsize <= 16


def test_bytes_of_bools_other_than_0_and_1_come_out_as_proper_bools() -> None:
    array = decode([A, "|b1", [4]], b"\0\1\2\xff")
    assert array.view("u1").tolist() == [0, 1, 1, 1]
    assert decode([5, "|b1"], b"\x80").tobytes() == b"\1"
    assert decode([4, "list", "|b1", 3], b"\0\x02\xff") == [False, True, True]


# -- memory and time of a frame

WIDE = b"\xdc\x4e\x21"  # announces 20,001 entries, the most that a list may have
FULL = b"\xdc\x4e\x20" + b"\x80" * 20_000  # a byte for each of 20,000 maps, which take 64 each
COSTLY = {
    "lists that announce much": (WIDE * 1023, b""),
    "small things": (b"\xdc\0\x34" + FULL * 52, b""),
    "both": (WIDE + FULL * 52 + WIDE * 950, b""),
    "long lists of small numbers": ([4, "list", "<i2", 1_000_000], b"\x01\x7f" * 1_000_000),
    "an array of bools": ([A, "|b1", [BODY]], bytes(BODY)),
    "deep lists": (b"\xdd\0\x0f\xff\xff" * 200_000, b""),
    "all of it": (
        b"\xdc\x4e\x21\0"
        + msgpack.packb([A, "|b1", [BODY - 2 * MB]])
        + msgpack.packb([4, "list", "<i2", 1_000_000])
        + FULL * 51
        + WIDE * 950,
        bytes(BODY - 2 * MB) + b"\x01\x7f" * 1_000_000,
    ),
}


def size_and_peak(item: Any, body: bytes) -> tuple[int, int]:
    """Return a frame's bytes, and the most that decoding it takes at one time besides them."""
    head, body = item if type(item) is bytes else msgpack.packb(item), bytearray(body)
    tracemalloc.start()
    try:
        wire.unpack(head, body, no_resolve, FROM_SANDBOX)
    except WireError:
        pass
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return len(head) + len(body), most


@pytest.mark.slow
@pytest.mark.parametrize(("item", "body"), COSTLY.values(), ids=COSTLY.keys())
def test_no_frame_takes_much_memory(item: Any, body: bytes) -> None:
    size, most = size_and_peak(item, body)
    assert most < 256 * MB
    assert most < 60_000 * size  # which is reached when the frame is still small


def test_remembered_results_take_little_memory() -> None:
    remembered = wire.Remembered()
    for _ in range(20):
        remembered.add([[] for _ in range(9_000)])
    assert sum(thing is not None for thing in remembered.things) < 100_000


def test_keys_that_collide_are_refused() -> None:
    # Tuples of -1 and -2, which have one hash: each key would be compared with all before it.
    keys = np.full((3000, 100), -1.0)
    keys[:, -12:] -= (np.arange(3000)[:, None] >> np.arange(12)) & 1
    item = [2, *[entry for _ in keys for entry in ([4, "tuple", "<f8", 100], None)]]
    with pytest.raises(WireError, match="too many keys with the same hash"):
        decode(item, keys.tobytes())


# -- any value, any bytes

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**8192) + 1, 2**8192 - 1),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(),
)
ARRAYS = arrays.arrays(
    st.sampled_from(DTYPES), arrays.array_shapes(min_dims=0, min_side=0, max_dims=5, max_side=4)
)
KEYS = LEAVES | st.tuples(LEAVES, LEAVES)
VALUES = st.recursive(
    LEAVES | ARRAYS | ARRAYS.map(lambda array: array.ravel()[0] if array.size else None),
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(KEYS, inner),
        st.lists(st.floats(), min_size=14, max_size=20),
        st.lists(st.integers(-(2**64), 2**64), min_size=14, max_size=20).map(tuple),
    ),
)
ITEMS = st.recursive(
    LEAVES.filter(lambda leaf: type(leaf) is not complex and (type(leaf) is not int))
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from(["<f8", "|b1", "list", "object", "0xff"]),
    lambda inner: (
        st.builds(lambda tag, rest: [tag, *rest], st.integers(0, 9), st.lists(inner))
        | st.lists(inner)
    ),
)


@settings(max_examples=300)
@given(value=VALUES)
def test_any_plain_value_comes_back(value: Any) -> None:
    assert bits(back(value)) == bits(value)


@settings(max_examples=500)
@given(head=st.binary(), body=st.binary(max_size=40))
def test_any_bytes_are_a_value_or_a_wire_error(head: bytes, body: bytes) -> None:
    only_wire_errors(head, body)


@settings(max_examples=300)
@given(item=ITEMS, body=st.binary(max_size=40))
def test_any_items_are_a_value_or_a_wire_error(item: Any, body: bytes) -> None:
    only_wire_errors(msgpack.packb(item), body)


@settings(max_examples=500)
@given(value=VALUES, data=st.data())
def test_a_valid_frame_with_changes_is_a_value_or_a_wire_error(value: Any, data: Any) -> None:
    head, body = (bytearray(part) for part in head_and_body(frame(value)))
    for _ in range(data.draw(st.integers(1, 4))):
        part = data.draw(st.sampled_from([head, body]))
        place = data.draw(st.integers(0, len(part)))
        part[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    only_wire_errors(bytes(head), body)


def only_wire_errors(head: bytes, body: bytes) -> None:
    with contextlib.suppress(WireError):
        wire.unpack(head, bytearray(body), no_resolve, FROM_SANDBOX)


# -- the connection


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    """One end as a connection, the other as a plain socket."""
    one, other = socket.socketpair()
    with one, other:
        yield Connection(one, wait), other


def in_background(work: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def received(connection: Connection, caps: Caps = FROM_SANDBOX) -> Any:
    return wire.unpack(*connection.receive(caps), no_resolve, caps)


def test_a_frame_may_come_in_single_bytes(ends: Any) -> None:
    connection, other = ends
    value = ["x", np.arange(3.0)]

    def drip() -> None:
        for byte in frame(value):
            other.send(bytes([byte]))

    in_background(drip)
    assert bits(received(connection)) == bits(value)


def test_frames_larger_than_any_buffer_go_both_ways(ends: Any) -> None:
    connection, other = ends
    there = Connection(other, wait)
    value = [np.arange(MB), "x" * 1000, [0.5] * 100_000]

    def echo() -> None:
        there.send(wire.pack(received(there, FROM_GRADER), no_reference, FROM_SANDBOX))

    in_background(echo)
    connection.send(wire.pack(value, no_reference, FROM_GRADER))
    assert bits(received(connection)) == bits(value)


def test_frames_that_come_together_are_kept_apart(ends: Any) -> None:
    connection, other = ends
    values = [1, np.arange(4), "x", b"", [np.zeros(0)]]
    other.sendall(b"".join(frame(value) for value in values))
    assert bits([received(connection) for _ in values]) == bits(values)


def test_a_stream_that_ends_in_a_frame_is_closed() -> None:
    whole = frame(["x", np.arange(2)])
    for length in range(len(whole)):
        one, other = socket.socketpair()
        with one:
            other.sendall(whole[:length])
            other.close()
            with pytest.raises(Closed):
                Connection(one, wait).receive(FROM_SANDBOX)


@pytest.mark.parametrize(
    ("head", "body"), [(MB + 1, 0), (0, BODY + 1), (2**32 - 1, 0), (2**32 - 1, 2**32 - 1)]
)
def test_a_frame_that_announces_too_much_is_refused_unread(ends: Any, head: int, body: int) -> None:
    connection, other = ends
    other.sendall(struct.pack(">II", head, body))
    with pytest.raises(WireError, match="a frame of"):
        connection.receive(FROM_SANDBOX)


def test_an_announced_length_alone_takes_no_memory(ends: Any) -> None:
    connection, other = ends
    other.sendall(struct.pack(">II", 1, BODY) + b"\xc0" + bytes(1000))
    other.shutdown(socket.SHUT_WR)
    tracemalloc.start()
    with pytest.raises(Closed):
        connection.receive(FROM_SANDBOX)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4 * MB


def test_an_end_that_is_gone_is_closed_for_both_ways(ends: Any) -> None:
    connection, other = ends
    other.close()
    with pytest.raises(Closed):
        connection.receive(FROM_SANDBOX)
    with pytest.raises(Closed):
        connection.send(wire.pack(1, no_reference, FROM_GRADER))
    connection._stream.close()
    with pytest.raises(Closed):
        connection.receive(FROM_SANDBOX)


def test_an_end_that_closes_during_a_long_send_is_closed(ends: Any) -> None:
    connection, other = ends

    def take_some() -> None:
        other.recv(1000)
        other.close()

    in_background(take_some)
    with pytest.raises(Closed):
        connection.send(wire.pack(np.zeros(4 * MB), no_reference, FROM_GRADER))


def test_an_exception_while_waiting_is_passed_on() -> None:
    def refuse(stream: socket.socket, writing: bool) -> None:
        raise TimeoutError(writing)

    one, other = socket.socketpair()
    with one, other:
        with pytest.raises(TimeoutError, match="False"):
            Connection(one, refuse).receive(FROM_SANDBOX)
        with pytest.raises(TimeoutError, match="True"):
            Connection(one, refuse).send([bytes(16 * MB)])
