"""Attacks that look for secrets, with checks that a header cannot state.

All others are in `attacks/peeking/`. Each prints how much it looked at, so that an attack that
looked at nothing does not pass.
"""

import re
from pathlib import Path

import pytest
from arena import NOTHING, PACKAGE, Arena, notebook
from carrying_out import carry_out, printed_by

from hw_grading.commands.sample import cell_of

pytestmark = pytest.mark.slow


def test_tracebacks_of_tests_tell_nothing_of_the_graders_machine(arena: Arena) -> None:
    # The first test does not use `Checks`; the outputs of both are shown to the student.
    nb = notebook(
        {
            "double": "def double(x):\n    raise ValueError('no')",
            "total": "import os\ndef total(x):\n    os._exit(1)",
        }
    )
    cell_of(nb, "test_double").source = "assert double(3) == 6"
    cell_of(nb, "test_total").source = "checks = Checks('total')\nassert total(3) == 6"
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


def test_a_search_that_could_find_something_does(arena: Arena) -> None:
    needles = [text[::-1] for text in ("in the open", "an open file")]
    printed = printed_by(arena, "peeking/search_in_the_open", NEEDLES=needles).replace("\\", "")
    assert "('look mine', 'nepo eht ni'" in printed
    assert "('/tmp/a file', 'elif nepo na'" in printed
