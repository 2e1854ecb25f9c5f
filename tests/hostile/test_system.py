"""Attacks on the machine, with checks from outside the sandbox; see `attacks/system/`.

Attacks print what they try, so that no test passes because nothing was tried.
"""

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from arena import Arena
from carrying_out import carry_out

pytestmark = pytest.mark.slow


# -- other processes


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the grader's user that does not belong to the submission."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.smoke
def test_a_signal_to_everything(arena: Arena, bystander: subprocess.Popen[bytes]) -> None:
    carry_out(arena, "system/signal_to_everything")
    assert bystander.poll() is None
    assert psutil.Process(bystander.pid).status() != psutil.STATUS_STOPPED
