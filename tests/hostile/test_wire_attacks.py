"""Attacks on the examiner over the link, with checks that a header cannot state.

All others are in `attacks/wire/`. The student's cell takes the socket, replaces `answer` by its own
function, and sends anything.
"""

import pytest
from arena import Arena
from attack_files import Attack
from carrying_out import carry_out

pytestmark = pytest.mark.slow

# The reason with which each frame ends the session.
ENDS = {
    "announces 4 GB": "a frame of 8,589,934,590",
    "ends within its length": "has ended",
    "has bytes left over": "more bytes than the arrays have",
    "is 100,000 deep": "cannot be read",
    "is no UTF-8": "cannot be read",
    "calls what was never handed over": "the test did not pass",
    "refers to what was not handed over": "a function that the test did not pass",
    "ships a function": "the test did not pass",
    "has an array of |O": "type of numbers",
    "has a shape 2**62, 4": "an invalid shape",
}


@pytest.mark.parametrize("what", Attack.read("wire/odd_frames").variants)
def test_a_malformed_frame_ends_the_session(arena: Arena, what: str) -> None:
    outcome = carry_out(arena, "wire/odd_frames", what)
    assert "the notebook stopped answering: " in outcome.printed
    assert ENDS[what] in outcome.printed
