"""Attacks that look for secrets, with checks that a header cannot state.

All others are in `attacks/peeking/`. Each prints how much it looked at, so that an attack that
looked at nothing does not pass.
"""

import ctypes
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from arena import CANARY, NOTHING, PACKAGE, Arena, notebook
from carrying_out import carry_out, printed_by

from hw_grading.commands.sample import cell_of

pytestmark = pytest.mark.slow


def test_tracebacks_of_tests_tell_nothing_of_the_graders_machine(arena: Arena) -> None:
    # A test cell that does not use `Checks`; its output is shown to the student.
    nb = notebook(
        {
            "double": "def double(x):\n    raise ValueError('no')",
            "total": "import os\ndef total(x):\n    os._exit(1)",
        }
    )
    cell_of(nb, "test_double").source = "assert double(3) == 6"
    cell_of(
        nb, "test_total"
    ).source = "### BEGIN HIDDEN TESTS\nassert total(3) == 6\n### END HIDDEN TESTS"
    outcome = arena.grade(nb)
    assert outcome.fault is None
    assert outcome.scores == NOTHING
    assert "ValueError" in outcome.printed
    assert "the notebook stopped answering" in outcome.printed
    for secret in (PACKAGE, "hw_grading/", "_question", str(Path.home()) + "/"):
        assert secret not in outcome.printed


def test_no_file_outside_of_libraries_tells_anything(arena: Arena) -> None:
    outcome = carry_out(arena, "peeking/files")
    top = re.search(r"top \[(.*?)\]", outcome.printed)
    assert top
    shown = {name.strip("'\\ ") for name in top[1].split(",")}
    assert not shown & {"sys", "root", "var", "srv", "mnt", "media", "boot", "work"}


def test_no_other_process_can_be_seen(arena: Arena) -> None:
    outcome = carry_out(arena, "peeking/processes")
    seen = re.search(r"seen \[([\d, ]+)\] me (\d+) parent (\d+)", outcome.printed)
    assert seen
    numbers = {int(number) for number in seen[1].split(",")}
    assert len(numbers) < 60  # threads of the kernel's own count
    assert max(numbers) < 1000
    assert {int(seen[2]), 1} <= numbers
    assert int(seen[3]) == 1


def test_files_that_are_open_lead_to_nothing(arena: Arena) -> None:
    outcome = carry_out(arena, "peeking/open_files")
    listed = re.search(r"kinds \{(.*?)\}", outcome.printed)
    assert listed
    kinds = set(re.findall(r"'([\w :]+)':", listed[1].replace("\\", "")))
    # 1:3 is /dev/null, 1:9 /dev/urandom; "none" are event and poll descriptors.
    assert kinds <= {"socket", "socket AF_UNIX", "pipe", "device 1:3", "device 1:9", "none"}


@pytest.fixture
def session_keyring() -> Iterator[int]:
    """Give this process a session keyring with a key in it, as after a login."""
    libc = ctypes.CDLL(None, use_errno=True)
    add_key, keyctl = 248, 250  # on x86-64
    if os.uname().machine != "x86_64" or libc.syscall(keyctl, 1, None) < 0:
        pytest.skip("there are no keys here")
    key = libc.syscall(add_key, b"user", b"course", CANARY.encode(), len(CANARY), -3)
    if key < 0:
        pytest.skip("no key can be made here")
    yield key
    libc.syscall(keyctl, 1, None)  # another keyring, an empty one


def test_keys_of_the_callers_login_cannot_be_read_or_left(
    arena: Arena, session_keyring: int
) -> None:
    assert "left" in printed_by(arena, "peeking/key_left")
    carry_out(arena, "peeking/keys", KEY=session_keyring)


def test_memory_that_processes_share_is_empty_at_first(arena: Arena) -> None:
    assert "left" in printed_by(arena, "peeking/shared_memory_left")
    carry_out(arena, "peeking/shared_memory")


def test_a_search_that_could_find_something_does(arena: Arena) -> None:
    needles = [text[::-1] for text in ("in the open", "an open file")]
    printed = printed_by(arena, "peeking/search_in_the_open", NEEDLES=needles).replace("\\", "")
    assert "('look mine', 'nepo eht ni'" in printed
    assert "('/tmp/a file', 'elif nepo na'" in printed
