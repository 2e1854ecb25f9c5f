"""Attacks on the machine, with checks from outside the sandbox; see `attacks/system/`.

Attacks print what they try, so that no test passes because nothing was tried.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from arena import Arena
from carrying_out import carry_out

pytestmark = pytest.mark.slow


class Listener:
    """A socket outside of the sandbox that records connections."""

    def __init__(self, family: int, address: object) -> None:
        self.came: list[object] = []
        self._socket = socket.socket(family)
        self._socket.bind(address)
        self.address = self._socket.getsockname()
        self._socket.listen()
        self._socket.settimeout(0.1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                self.came.append(self._socket.accept())
            except TimeoutError:
                continue

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


def own_addresses() -> list[str]:
    """All addresses of this machine for IPv4."""
    found = [a for addresses in psutil.net_if_addrs().values() for a in addresses]
    return sorted({a.address for a in found if a.family == socket.AF_INET} | {"127.0.0.1"})


def test_sockets_of_the_machine(arena: Arena, tmp_path: Path) -> None:
    name, path = f"\0hw-{os.getpid()}", tmp_path / "s"
    listeners = [
        Listener(socket.AF_INET, ("0.0.0.0", 0)),
        Listener(socket.AF_UNIX, name),
        Listener(socket.AF_UNIX, str(path)),
    ]
    path.chmod(0o777)
    port = listeners[0].address[1]
    given = {"ADDRESSES": own_addresses(), "PORT": port, "NAME": name, "PATH": str(path)}
    carry_out(arena, "system/sockets", **given)
    for listener in listeners:
        listener.close()
        assert listener.came == []


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


def test_signals_to_every_number(arena: Arena, bystander: subprocess.Popen[bytes]) -> None:
    known = [os.getpid(), bystander.pid, *(p.pid for p in psutil.Process().children())]
    carry_out(arena, "system/signals_to_every_number", KNOWN=known)
    assert bystander.poll() is None
