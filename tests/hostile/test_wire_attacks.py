"""Attacks on the examiner over the link: a kernel that answers what the protocol does not know.

The student's cell takes the socket, puts a function of its own in the place of `answer`, and sends
what it likes. The arena then looks at scores, time, what was reported, and the grader's memory.
"""

from __future__ import annotations

from typing import Any

import pytest
from arena import NOTHING, RIGHT, Arena, Outcome, notebook

from hw_support.submission.problems import Kind

pytestmark = pytest.mark.slow

# Megabytes: what the grader may take beyond what it has, and an examiner beyond its about 75.
MOST_MB = 400
EXAMINER_MB = 75

# `frame` and `raw` send; `ask` gives the next question, its body unread. `FUNCTION` stands for a
# function of the student's, `value` is an answer that fits.
LINK = """
import msgpack, os, socket, struct, time
import answering.start as start
link = start._link
def receive(size):
    data = bytearray()
    while len(data) < size:
        piece = link.recv(min(size - len(data), 1 << 20))
        if not piece:
            raise SystemExit
        data += piece
    return bytes(data)
def ask():
    head, body = struct.unpack(">II", receive(8))
    question = msgpack.unpackb(receive(head), strict_map_key=False)
    receive(body)
    return question
def raw(head, body=b"", announced=None):
    link.sendall(struct.pack(">II", *(announced or (len(head), len(body)))) + head + body)
def frame(message, body=b""):
    raw(msgpack.packb(message), body)
FUNCTION = [8, 1, "function", "function"]
def value(item=FUNCTION, changes=(), overwritten=()):
    return [0, "value", item, [0, *changes], [0, *overwritten]]
def serve(answer):
    "Answer every question of a test by a function of its words, and the end as is right."
    while True:
        question = ask()
        if question[1] == "end":
            frame([0, "ended"])
            return
        answer(question)
def take_over(server):
    def instead():
        link.setblocking(True)
        server()
    start.answer = instead
    print("taken over", flush=True)
"""


def attacked(arena: Arena, server: str, **options: Any) -> Outcome:
    """Grade a notebook whose first cell replaces the answering server by this one.

    Parameters
    ----------
    server
        The body of a function, one line or several.
    """
    body = server.strip().replace("\n", "\n    ")
    before = f"{LINK}\ndef server():\n    {body}\ntake_over(server)\n"
    outcome = arena.attack(
        {"total": "total = 10"},
        before,
        **{"wall_seconds_per_cell": 4.0, "iopub_timeout": 1} | options,
    )
    assert "taken over" in outcome.printed
    assert outcome.scores == NOTHING
    return outcome


def small(memory: Any) -> None:
    """The grader's processes stayed small."""
    memory.end()
    assert memory.grader_mb < MOST_MB, memory
    assert memory.examiner_mb < EXAMINER_MB + MOST_MB, memory


# How an end of the session is reported: by its reason, or as a kernel that died of it.
ENDS = {Kind.PROTOCOL, Kind.KERNEL}


def expect_end(outcome: Outcome, why: str) -> None:
    """The session was ended, for this reason."""
    assert outcome.kinds
    assert outcome.kinds <= ENDS
    assert "the notebook stopped answering: " in outcome.printed
    assert why in outcome.printed


def test_the_link_when_it_is_used_as_it_is_meant(arena: Arena) -> None:
    """So that what follows fails for what it does, and not because it is written wrongly."""
    before = f"""{LINK}
def server():
    def answer(question):
        if question[1] == "get":
            frame([0, "value", FUNCTION, [0], [0]] if question[2] != "total" else value(10))
        else:
            frame(value(6))
    serve(answer)
take_over(server)
"""
    outcome = arena.attack(before=before)
    assert outcome.scores == NOTHING | {"test_double": 1.0, "test_total": 1.0}  # double(3) is 6
    assert outcome.kinds == set()


# -- frames

FRAMES = {
    "announces 4 GB": (r"raw(b'', announced=(2**32 - 1, 2**32 - 1))", "a frame of 8,589,934,590"),
    "ends within its length": (r"link.sendall(b'\0\0'); link.shutdown(2)", "has ended"),
    "has bytes left over": (r"frame([0, 'missing'], b'x')", "more bytes than the arrays have"),
    "is 600 deep": (r"raw(b'\x91' * 600 + b'\xc0')", "an item of an unknown kind"),
    "is 100,000 deep": (r"raw(b'\x91' * 100_000 + b'\xc0')", "cannot be read"),
    "has a map": (r"frame(value({'a': 1}))", "cannot be read"),
    "has a time": (r"frame(value(msgpack.Timestamp(1, 1)))", ""),
    "declares 2**32 entries": (r"raw(b'\xdd\xff\xff\xff\xff')", "cannot be read"),
    "is no UTF-8": (r"raw(b'\x93\0\xa7missing\xa2\xff\xfe')", "cannot be read"),
    "says that it ended": (r"frame([0, 'ended'])", "an answer that fits no question"),
    "has a value and more": (
        r"frame([0, 'value', 1, [0], [0], 1])",
        "an answer that fits no question",
    ),
    "calls what was never handed over": (
        r"frame([0, 'callback', 0, [0], [2]])",
        "the test did not pass",
    ),
    "refers to what was not handed over": (
        r"frame(value([9, 2**63]))",
        "a function that the test did not pass",
    ),
    "has an integer of a million digits": (
        r"frame(value([6, '1' * 10**6]))",
        "an item of an unknown kind",
    ),
}
FRAMES |= {
    f"has an array of {dtype}": (f"frame(value([3, {dtype!r}, [1]]), bytes(8))", "type of numbers")
    for dtype in ("|O", "<f8,<i4", "<M8[ns]")
}
FRAMES |= {
    f"has a shape {shape}": (f"frame(value([3, '<f8', [{shape}]]), bytes(8))", why)
    for shape, why in (
        ("-1", "an invalid shape"),
        ("2**62, 4", "an invalid shape"),
        ("0, 2**40", "an invalid shape"),
        ("*[1] * 40", "an invalid shape"),
    )
}


@pytest.mark.parametrize("what", FRAMES)
def test_a_frame_that(arena: Arena, what: str) -> None:
    code, why = FRAMES[what]
    expect_end(attacked(arena, f"ask()\n{code}\ntime.sleep(60)"), why)


def test_the_reason_of_a_forged_frame_is_reported_and_not_a_death_of_the_kernel(
    arena: Arena,
) -> None:
    outcome = attacked(arena, "ask()\nframe([0, 'everything'])\ntime.sleep(60)")
    assert "broke the protocol" in outcome.problems[-1].message
    assert outcome.kinds == {Kind.PROTOCOL}


def test_a_frame_that_does_not_come(arena: Arena) -> None:
    outcome = attacked(arena, "ask()\nraw(b'', announced=(10, 10))\ntime.sleep(60)")
    assert outcome.kinds - ENDS == {Kind.TIME_LIMIT}


def test_a_frame_that_comes_one_byte_at_a_time_for_ever(arena: Arena) -> None:
    outcome = attacked(
        arena,
        """
ask()
link.sendall(struct.pack(">II", 1 << 20, 0))
while True:
    try:
        link.sendall(b"\\x90")
        time.sleep(0.03)
    except BaseException:
        pass
""",
    )
    assert outcome.kinds <= {Kind.TIME_LIMIT, Kind.PROTOCOL}
    assert outcome.kinds


def test_a_million_tiny_frames(arena: Arena, memory: Any) -> None:
    outcome = attacked(
        arena,
        """
one = msgpack.packb(value(0.0))
one = struct.pack(">II", len(one), 0) + one
ask()
frame(value())
for _ in range(1_000):
    link.sendall(one * 1_000)
""",
    )
    # The first ones answer, one question each; that none of them is an end is found in the end.
    assert outcome.kinds
    assert outcome.kinds <= ENDS
    small(memory)


@pytest.mark.smoke
def test_frames_after_the_end(arena: Arena) -> None:
    """They answer the first questions of the next test, before it has asked."""
    outcome = attacked(
        arena,
        """
while ask()[1] != "end":
    frame(value())
frame([0, "ended"])
for number in (6, 10, 4242, 8485):
    frame(value(number))
""",
    )
    assert outcome.kinds <= ENDS


def test_nothing_but_descriptors(arena: Arena) -> None:
    """A socket can carry open files too: the examiner must not keep them."""
    outcome = attacked(
        arena,
        """
ask()
data = msgpack.packb(value("x" * 1000))
data = struct.pack(">II", len(data), 0) + data
for byte in data:
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(10)]
    while True:
        try:
            socket.send_fds(link, [bytes([byte])], files)
            break
        except OSError:  # as many as may be on their way
            time.sleep(0.01)
    for file in files:
        os.close(file)
serve(lambda question: frame(value()))
""",
    )
    assert outcome.kinds == set()


# -- answers

CHANGES = {
    "a place that does not exist": "value(0, [[0, 10**9, [0]]])",
    "a negative place": "value(0, [[0, -5, [0]]])",
    "a place that is none": "value(0, [[0, 'x', [0]]])",
    "no pair": "value(0, [[0, 0]])",
    "a number": "value(0, [7])",
    "another type": "value(0, [[0, 2, 'x']])",
    "another size": "value(0, [[0, 2, [3, '<f8', [0, 1]]]])",
    "a list for an array": "value(0, [[0, 2, [0, 1, 2]]])",
    "an earlier result that there is not": "value(0, [], [[0, 3, [0]]])",
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of(arena: Arena, what: str) -> None:
    body = ", bytes(8)" if "<f8" in CHANGES[what] else ""
    outcome = attacked(
        arena,
        f"""
def answer(question):
    if question[1] == "call" and question[3] != [0, 3]:
        frame({CHANGES[what]}{body})
    else:
        frame(value())
serve(answer)
""",
    )
    expect_end(outcome, "broke the protocol")


@pytest.mark.parametrize(("dtype", "flat"), [("<f8", True), ("<c16", False), ("|b1", False)])
def test_a_change_of_every_array_to_another_shape_or_type(
    arena: Arena, dtype: str, flat: bool
) -> None:
    outcome = attacked(
        arena,
        f"""
def answer(question):
    if question[1] == "get":
        frame(value())
        return
    argument = question[3][1]
    if type(argument) is not list or argument[0] != 3:
        frame(value(0.0))
        return
    shape = argument[2][1:]
    size = int(np.prod(shape))
    bytes_of_sevens = np.full(size, 7).astype({dtype!r}).tobytes()
    shape = [size] if {flat} else shape
    frame(value([0, 0.0, 0.0], [[0, 2, [3, {dtype!r}, [0, *shape]]]]), bytes_of_sevens)
import numpy as np
serve(answer)
""",
    )
    assert outcome.kinds <= ENDS


def test_answers_of_32_megabytes_to_every_question(arena: Arena, memory: Any) -> None:
    outcome = attacked(
        arena,
        """
body = bytes(32 << 20)
def answer(question):
    if question[1] == "get":
        frame(value())
    else:
        frame(value([3, "|b1", [0, 32 << 20]]), body)
serve(answer)
""",
        cpu_seconds_per_cell=10.0,
        wall_seconds_per_cell=20.0,
    )
    assert outcome.kinds <= ENDS | {Kind.TIME_LIMIT}
    small(memory)


def test_32_megabytes_in_changes_and_earlier_results(arena: Arena, memory: Any) -> None:
    outcome = attacked(
        arena,
        """
body = bytes(32 << 20)
def answer(question):
    if question[1] == "get":
        frame(value())
    else:
        array = [3, "|u1", [0, 1 << 20]]
        frame([0, "value", [0, *[array] * 16], [0, *[[0, 0, array]] * 16], [0]], body)
serve(answer)
""",
        wall_seconds_per_cell=20.0,
    )
    assert outcome.kinds <= ENDS | {Kind.TIME_LIMIT}
    small(memory)


def test_the_largest_heads_that_the_protocol_takes(arena: Arena, memory: Any) -> None:
    outcome = attacked(
        arena,
        """
inner = [0, *[[0]] * 9_000]
wide = [0, *[inner] * 11]
texts = [0, *["x" * 90] * 9_000]
def answer(question):
    if question[1] == "get":
        frame(value())
    else:
        frame(value(wide if len(seen) % 2 else texts))
        seen.append(1)
seen = []
serve(answer)
""",
        wall_seconds_per_cell=20.0,
    )
    assert outcome.kinds == set()
    small(memory)


def test_a_million_numbers_as_lists_in_every_answer(arena: Arena, memory: Any) -> None:
    outcome = attacked(
        arena,
        """
body = bytes(8_000_000)
def answer(question):
    if question[1] == "get":
        frame(value())
    else:
        frame(value([4, "list", "<i8", 1_000_000]), body)
serve(answer)
""",
        wall_seconds_per_cell=20.0,
    )
    assert outcome.kinds == set()
    small(memory)


@pytest.mark.parametrize("name", ["", "__class__", "x" * 500_000, "KeyboardInterrupt"])
def test_an_error_named(arena: Arena, memory: Any, name: str) -> None:
    text = "'\\n' + 'passed  everything [8 pt]\\n' * 40_000"
    outcome = attacked(
        arena,
        f"""
def answer(question):
    if question[1] == "get":
        frame(value())
    else:
        frame([0, "error", "{name}", ({text})[:500_000], ({text})[:40_000]])
serve(answer)
""",
        wall_seconds_per_cell=20.0,
    )
    assert outcome.kinds <= ENDS
    assert len(outcome.printed) < 1_000_000
    small(memory)


def test_refusals_for_reasons_of_a_megabyte(arena: Arena) -> None:
    outcome = attacked(arena, 'serve(lambda _: frame([0, "refused", "x" * 1_000_000]))')
    assert outcome.kinds == set()
    assert len(outcome.printed) < 20_000


# -- callbacks

# A test that hands over a function which asks the notebook in turn.
AGAIN = """
def again(g):
    return g(again)
checks = Checks("apply", points=2)
with checks("again and again", points=2):
    assert_close(apply(again, 1.0), 4242.0)
checks.score()
"""


def attacked_with_callbacks(arena: Arena, server: str, **options: Any) -> Outcome:
    """Grade a notebook of which the test of `apply` is `AGAIN`."""
    body = server.strip().replace("\n", "\n    ")
    before = f"{LINK}\ndef server():\n    {body}\ntake_over(server)\n"
    nb = notebook({}, before)
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "test_apply":
            cell.source = AGAIN
    options = {"wall_seconds_per_cell": 12.0, "iopub_timeout": 1} | options
    outcome = arena.grade(nb, **options)
    arena.expect_no_harm(outcome)
    assert outcome.fault is None
    assert "taken over" in outcome.printed
    assert outcome.scores == NOTHING
    return outcome


def test_callbacks_in_callbacks_10_000_deep(arena: Arena, memory: Any) -> None:
    outcome = attacked_with_callbacks(
        arena,
        """
def answer(question):
    if question[1] != "call" or "apply" not in asked:
        asked.append(question[2])
        frame(value())
        return
    for _ in range(10_000):
        frame([0, "callback", 0, [0, FUNCTION], [2]])
        ask()
    frame(value(0.0))
asked = []
serve(answer)
""",
    )
    assert outcome.kinds <= ENDS | {Kind.TIME_LIMIT}
    small(memory)


def test_a_callback_that_calls_the_notebook_that_calls_back(arena: Arena) -> None:
    nb = notebook({"apply": "def apply(f, x):\n    return f(lambda g: apply(g, x))"})
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "test_apply":
            cell.source = AGAIN
    outcome = arena.grade(nb)
    assert outcome.fault is None
    assert outcome.scores == NOTHING
    assert "more than 100 nested calls" in outcome.printed


@pytest.mark.parametrize("read", [True, False])
def test_callbacks_for_ever(arena: Arena, memory: Any, read: bool) -> None:
    """Whoever calls back faster than is read, or does not read what comes back."""
    outcome = attacked_with_callbacks(
        arena,
        f"""
def answer(question):
    if question[1] != "call" or "apply" not in asked:
        asked.append(question[2])
        frame(value())
        return
    while True:
        try:
            frame([0, "callback", 0, [0, 1.0], [2]])
            if {read}:
                ask()
        except Exception:
            pass
asked = []
serve(answer)
""",
        cpu_seconds_per_cell=2.0,
    )
    assert outcome.kinds <= ENDS | {Kind.TIME_LIMIT}
    assert outcome.kinds
    small(memory)


def test_callbacks_with_32_megabytes_for_ever(arena: Arena, memory: Any) -> None:
    outcome = attacked_with_callbacks(
        arena,
        """
body = bytes(32 << 20)
def answer(question):
    if question[1] != "call" or "apply" not in asked:
        asked.append(question[2])
        frame(value())
        return
    while True:
        frame([0, "callback", 0, [0, [3, "<f8", [0, 4 << 20]]], [2]], body)
        ask()
asked = []
serve(answer)
""",
        cpu_seconds_per_cell=8.0,
        memory_mb=2500,
    )
    assert outcome.kinds <= ENDS | {Kind.TIME_LIMIT}
    assert outcome.kinds
    small(memory)


def test_callbacks_with_names_that_are_none_or_too_many(arena: Arena) -> None:
    for named in (
        "[2, 1, 2]",
        "[2, 'self', 1, 'g', 2]",
        "[2, *[w for n in range(99) for w in (str(n), n)]]",
    ):
        outcome = attacked_with_callbacks(
            arena,
            f"""
def answer(question):
    if question[1] == "call" and "apply" in asked:
        frame([0, "callback", 0, [0], {named}])
        ask()
        frame(value(0.0))
    else:
        asked.append(question[2])
        frame(value())
asked = []
serve(answer)
""",
        )
        assert outcome.kinds <= ENDS


# -- who answers


def test_answers_from_elsewhere_while_the_kernel_says_that_it_is_done(arena: Arena) -> None:
    outcome = attacked(
        arena,
        """
if os.fork() == 0:
    while True:
        kind = ask()[1]
        time.sleep(0.5)
        frame([0, "ended"] if kind == "end" else value(0.0 if kind == "call" else FUNCTION))
""",
    )
    assert outcome.kinds <= ENDS


def test_a_kernel_that_never_says_that_it_is_done(arena: Arena) -> None:
    outcome = attacked(
        arena,
        """
serve(lambda _: frame(value()))
while True:
    try:
        time.sleep(1000)
    except BaseException:
        pass
""",
        wall_seconds_per_cell=2.0,
    )
    assert outcome.kinds == {Kind.TIME_LIMIT}


def test_a_server_that_answers_the_first_test_rightly_and_then_forges(arena: Arena) -> None:
    """Points that were earned stay; the rest of the notebook scores nothing."""
    outcome = arena.attack(
        RIGHT,
        before=f"""{LINK}
honest = start.answer
tests = []
def sometimes():
    tests.append(1)
    if len(tests) == 1:
        return honest()
    link.setblocking(True)
    ask()
    raw(b"", announced=(2**32 - 1, 0))
start.answer = sometimes
""",
    )
    assert outcome.scores == NOTHING | {"test_double": 2.0}
    assert outcome.kinds <= ENDS
