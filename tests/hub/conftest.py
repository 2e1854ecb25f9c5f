"""One machine with one hub for all tests of the folder."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_grading.homework.course import REPOSITORY

sys.path.append(str(REPOSITORY / "tests" / "browser"))

from chromium import chromium, lack
from hub import Hub, prepare, running
from machine import Machine, lacking


@pytest.fixture(scope="session")
def hub() -> Iterator[Hub]:
    """A running hub on a new machine."""
    if os.getuid() != 0:
        pytest.skip("only root can make users and become them")
    if names := lacking():
        lack(f"not on the PATH: {', '.join(names)}; see .ci/debian-packages and `make setup`")
    here = "--host-resolver-rules=MAP * 127.0.0.1"
    with tempfile.TemporaryDirectory() as folder, chromium(here) as browser:
        machine = Machine.make(Path(folder))
        prepare(machine)
        with running(machine, browser) as started:
            yield started
