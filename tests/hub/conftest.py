"""One machine with one hub for all tests of a file."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_grading.homework.course import REPOSITORY

sys.path.append(str(REPOSITORY / "tests" / "browser"))

from chromium import chromium, lack
from hub import Hub
from machine import Machine, lacking
from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser that finds all host names here; without root's rights no hub can run."""
    if os.getuid() != 0:
        pytest.skip("only root can make users and become them")
    if names := lacking():
        lack(f"not on the PATH: {', '.join(names)}; see .ci/debian-packages and `make setup`")
    with chromium("--host-resolver-rules=MAP * 127.0.0.1") as running:
        yield running


@pytest.fixture(scope="module")
def hub(browser: Browser) -> Iterator[Hub]:
    """A hub for all tests of a file, which leave it running."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Machine.made(Path(folder)) as machine,
        Hub.installed(machine, browser) as hub,
    ):
        hub.start()
        yield hub
