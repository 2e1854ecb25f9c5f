"""Attacks that look for secrets, with checks that a header cannot state.

All others are in `attacks/peeking/`. Each prints how much it looked at, so that an attack that
looked at nothing does not pass.
"""

import re

import pytest
from arena import Arena
from carrying_out import carry_out, printed_by

pytestmark = pytest.mark.slow


def test_no_file_outside_of_libraries_tells_anything(arena: Arena) -> None:
    outcome = carry_out(arena, "peeking/files")
    top = re.search(r"top \[(.*?)\]", outcome.printed)
    assert top
    shown = {name.strip("'\\ ") for name in top[1].split(",")}
    assert not shown & {"sys", "root", "var", "srv", "mnt", "media", "boot", "work"}


def test_a_search_that_could_find_something_does(arena: Arena) -> None:
    needles = [text[::-1] for text in ("in the open", "an open file")]
    printed = printed_by(arena, "peeking/search_in_the_open", NEEDLES=needles).replace("\\", "")
    assert "('look mine', 'nepo eht ni'" in printed
    assert "('/tmp/a file', 'elif nepo na'" in printed
