"""Attacks by patching, with checks that a header cannot state; see `attacks/patching/`.

They patch what a test relies on: Python, NumPy, `hw_support`, modules, the environment. All patches
are in the student's kernel. On stock nbgrader tests run there too. Here tests run in another
process, with their own Python, NumPy and `hw_support`. They take only values from the kernel.
"""

import pytest
from arena import Arena
from carrying_out import carry_out, printed_by

pytestmark = pytest.mark.slow


def test_files_named_like_modules_hide_none_of_them(arena: Arena) -> None:
    outcome = carry_out(arena, "patching/files_named_like_modules")
    assert "json is /usr/" in outcome.printed or "json is /opt/" in outcome.printed


def test_files_named_like_modules_are_not_there_for_the_next_student(arena: Arena) -> None:
    assert "left" in printed_by(arena, "patching/files_left")
    carry_out(arena, "patching/files_of_another")
