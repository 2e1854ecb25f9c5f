"""Attacks on the examiner over the link, with checks that a header cannot state.

All others are in `attacks/wire/`. The student's cell takes the socket, replaces `answer` by its own
function, and sends anything.
"""

import pytest
from arena import Arena
from attack_files import Attack
from carrying_out import carry_out

pytestmark = pytest.mark.slow

NAMED = "wire/named_callbacks"
# The reason with which each frame ends the session.
ENDS = {
    "announces 4 GB": "a frame of 8,589,934,590",
    "ends within its length": "has ended",
    "has bytes left over": "more bytes than the arrays have",
    "is 600 deep": "an item of an unknown kind",
    "is 100,000 deep": "cannot be read",
    "has a map": "cannot be read",
    "has a time": "",
    "declares 2**32 entries": "cannot be read",
    "is no UTF-8": "cannot be read",
    "says that it ended": "an answer that fits no question",
    "has a value and more": "an answer that fits no question",
    "calls what was never handed over": "the test did not pass",
    "refers to what was not handed over": "a function that the test did not pass",
    "ships a function": "the test did not pass",
    "has an array of |O": "type of numbers",
    "has an array of <f8,<i4": "type of numbers",
    "has an array of <M8[ns]": "type of numbers",
    "has a shape -1": "an invalid shape",
    "has a shape 2**62, 4": "an invalid shape",
    "has a shape 0, 2**41": "an invalid shape",
    "has a shape *[1] * 40": "an invalid shape",
}


@pytest.mark.parametrize("what", Attack.read("wire/odd_frames").variants)
def test_a_malformed_frame_ends_the_session(arena: Arena, what: str) -> None:
    outcome = carry_out(arena, "wire/odd_frames", what)
    assert "the notebook stopped answering: " in outcome.printed
    assert ENDS[what] in outcome.printed


def test_refusals_for_reasons_of_a_megabyte(arena: Arena) -> None:
    assert len(carry_out(arena, "wire/refusals").printed) < 20_000


def test_callbacks_with_names_that_are_none_or_too_many(arena: Arena) -> None:
    for named in Attack.read(NAMED).variants:
        carry_out(arena, NAMED, named)
