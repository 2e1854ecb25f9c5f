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
    "is 100,000 deep": "cannot be read",
    "is no UTF-8": "cannot be read",
    "calls what was never handed over": "the test did not pass",
    "has an array of |O": "type of numbers",
}


@pytest.mark.parametrize("what", Attack.read("wire/odd_frames").variants)
def test_a_malformed_frame_ends_the_session(arena: Arena, what: str) -> None:
    outcome = carry_out(arena, "wire/odd_frames", what)
    assert "the notebook stopped answering: " in outcome.printed
    assert ENDS[what] in outcome.printed
