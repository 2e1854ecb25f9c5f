"""Lets a kernel send any messages at any time; expects that functions of the test end in time.

    python tests/hostile/fuzz_questions.py --seconds 60

An input is a list of messages that the kernel sends at once. The examiner asks it two questions, in
two parts of a test. In each part it passes a function, which must not run in the other part.
"""

import contextlib
import json
import random
import socket
from collections.abc import Iterable
from typing import Any

import atheris
from fuzz_wire import fuzz, other_tree, refer

with atheris.instrument_imports(include=["hw_grading.examiner", "hw_grading.inside.wire"]):
    from hw_grading.examiner.handles import FunctionHandle
    from hw_grading.examiner.session import RemoteError, Session
    from hw_grading.inside import wire
    from hw_support.compare import Mismatch
    from hw_support.time_limit import TimeLimitReached

VALUE = ["values", [[None]], None]
OTHERS = [
    ["ended"],
    ["values", [], ["raised", "f", 3]],
    ["values", [], ["refused", "too much"]],
    ["values", [], ["late"]],
    ["values", [], ["error", "ValueError", "text", "f", 3]],
    ["values", [[1.5, [[1]], [1]]], None],
]


def callback(number: int, *arguments: Any, **named: Any) -> list[Any]:
    """Return a question of the kernel's: a call of the test's function with this number."""
    return ["callback", number, list(arguments), named]


CALLS = [callback(0), callback(1, 2.5), callback(0, {"yours": 0}, key=[1]), callback(2)]
KERNELS: list[Any] = [
    [VALUE, VALUE],
    [*CALLS, VALUE, *CALLS, VALUE],
    [callback(0, {"yours": 0}), VALUE, callback(0), ["values", [[{"yours": 0}]], None]],
    *([callback(0), message, callback(0), VALUE] for message in OTHERS),
    [["values", [[{"theirs": 3}]], None], callback(0), VALUE],
]


def seeds() -> Iterable[bytes]:
    """Yield lists of messages."""
    for messages in KERNELS:
        yield json.dumps(messages).encode()


def _with_references(tree: Any) -> Any:
    match tree:
        case {"yours": int(number)}:
            return wire.Yours(number)
        case {"theirs": int(number)}:
            return wire.Theirs(number, bool(number % 2), "f", [number])
        case dict():
            return {key: _with_references(value) for key, value in tree.items()}
        case list():
            return [_with_references(value) for value in tree]
    return tree


def one_kernel(data: bytes) -> None:
    """Ask twice; each function runs only in its own part, and only known errors are raised."""
    try:
        messages = [_with_references(message) for message in json.loads(data)]
        frames = [b"".join(wire.pack(m, refer, limited=True)) for m in messages]
    except (ValueError, TypeError, OverflowError, RecursionError, wire.TooMuch):
        return
    ours, far = socket.socketpair()
    with ours, far:
        far.sendall(b"".join(frames))
        far.shutdown(socket.SHUT_WR)
        session = Session(ours, _nothing)
        ask = FunctionHandle(0, "f", session.call)
        ran: list[str] = []
        for part in ("first", "second"):

            def function(*_: Any, part: str = part, **__: Any) -> float:
                ran.append(part)
                return 1.0

            ran.clear()
            with contextlib.suppress(Mismatch, RemoteError, RuntimeError, TimeLimitReached):
                ask(function)
            assert set(ran) <= {part}
            session.end_part()


def _nothing() -> None:
    pass


def other_kernel(data: bytes, most: int, seed: int) -> bytes:
    """Change some messages of a kernel."""
    tree = other_tree(json.loads(data), random.Random(seed))
    return json.dumps(tree, default=str).encode()[:most]


if __name__ == "__main__":
    fuzz(one_kernel, other_kernel, seeds(), "-max_len=4000")
