"""Decodes random frames until time is up; expects a value or a `WireError` each time.

    python tests/hostile/fuzz_wire.py --seconds 60

It also has what the other fuzzers need: `fuzz`, and a mutator of trees.
"""

import argparse
import copy
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import atheris
import msgpack
import numpy as np

with atheris.instrument_imports(include=["hw_grading.inside.wire"]):
    from hw_grading.inside import wire

ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 9, 2**31, 2**63 - 1, 2**64 - 1, 0.0, float("nan"), "", b"", []),
    *("<f8", "|b1", ">c16", "|O", "values", "error", "\0", "é"),
    *([0], [[]], [0, 2**31], {}, {"": 0}),
]
VALUES: list[Any] = [
    *(None, -1.5, "text", b"bytes", [1, (2.0, None)], {"a": [1], (1, "b"): ()}),
    *([0.5] * 16, tuple(range(16)), np.float32(1), np.bool_(True), np.arange(6.0).reshape(2, 3)),
    *([np.array([True, False]), np.zeros((0, 3), ">i4")], ["callback", 0, [np.ones(2)], {"k": 1}]),
    ["values", [[wire.Theirs(1, True, "f"), [0], [wire.Theirs(3, False, "x", [1])]]], None],
    ["values", [[wire.Yours(0)], [wire.Shipped("module", "f")]], ["late"]],
]


def seeds() -> Iterable[bytes]:
    """Yield a frame for each kind of value: the length of the head in two bytes, head, body."""
    for value in VALUES:
        whole = b"".join(wire.pack(value, refer, limited=True))
        yield whole[2:4] + whole[8:]


def refer(value: Any, _: int = 0) -> Any:
    """Send references as they are."""
    return value if isinstance(value, wire.Theirs | wire.Yours | wire.Shipped) else None


def _resolve(reference: Any) -> Any:
    if getattr(reference, "number", 0) % 2:
        raise wire.WireError("nothing was handed over")
    return reference


def _parts(data: bytes) -> tuple[bytes, bytes]:
    head = int.from_bytes(data[:2], "big")
    return data[2 : 2 + head], data[2 + head :]


def one_frame(data: bytes) -> None:
    """Decode a frame; its value can be encoded and decoded again, and stays the same."""
    head, body = _parts(data)
    try:
        value = wire.unpack(head, body, _resolve, limited=True)
        whole = b"".join(wire.pack(value, refer, limited=False))
    except (wire.WireError, wire.TooMuch):  # what arrives may be a little deeper
        return
    size = int.from_bytes(whole[:4], "big")
    head, body = whole[8 : 8 + size], whole[8 + size :]
    assert repr(wire.unpack(head, body, lambda r: r, limited=False)) == repr(value)


def other_frame(data: bytes, most: int, seed: int) -> bytes:
    """Change a frame: half of the time its structure, else its bytes."""
    draw = random.Random(seed)
    head, body = _parts(data)
    try:
        tree = msgpack.unpackb(head)
        if draw.random() < 0.5:
            head = msgpack.packb(other_tree(tree, draw))
            return (len(head).to_bytes(2, "big") + head + body)[:most]
    except Exception:
        pass
    return bytes(atheris.Mutate(data, most))


# -- for every fuzzer


def other_tree(tree: Any, draw: random.Random) -> Any:
    """Change some places of a tree of lists and dicts: another value, one more, or one fewer."""
    top = [tree]  # so that the whole tree is in a place too
    for _ in range(draw.choice([1, 1, 2, 3])):
        holder, key = draw.choice(list(_places(top)))
        odd = copy.deepcopy(draw.choice([*ODD, holder[key]]))
        what = draw.randrange(8) if holder is not top else 7
        if what == 0:
            del holder[key]
        elif what == 1 and isinstance(holder, list):
            holder.insert(key, odd)
        elif what == 1:
            holder[str(odd)] = holder[key]
        else:
            holder[key] = [holder[key], odd] if what == 2 else odd
    return top[0]


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, list | dict):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from _places(tree[key])


def fuzz(
    one: Callable[[bytes], None],
    other: Callable[[bytes, int, int], bytes],
    seeds: Iterable[bytes],
    *options: str,
) -> None:
    """Try inputs for the seconds of the command line; print one that fails, and exit with 1.

    Parameters
    ----------
    one
        Tries an input.
    other
        Makes another input from one: takes it, the most bytes, and a seed.
    seeds
        To begin with.
    options
        Of libFuzzer.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, required=True)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        child = os.fork()  # libFuzzer ends its process without telling Python
        if child == 0:
            for number, seed in enumerate(seeds):
                Path(folder, f"seed-{number}").write_bytes(seed)
            limits = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=1500"]
            told = ["-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={folder}/failed-"]
            command = [sys.argv[0], *limits, *told, *options, folder]
            atheris.Setup(command, one, custom_mutator=other)
            atheris.Fuzz()
        _, status = os.waitpid(child, 0)
        for path in Path(folder).glob("failed-*"):
            print(path.name, path.read_bytes())
    sys.exit(status != 0)


if __name__ == "__main__":
    fuzz(one_frame, other_frame, seeds(), "-max_len=2000")
