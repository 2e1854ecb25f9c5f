"""Attacks on the machine, with checks from outside the sandbox; see `attacks/system/`.

Attacks print what they try, so that no test passes because nothing was tried.
"""

import ctypes
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from arena import CANARY, Arena
from carrying_out import carry_out, tried

pytestmark = pytest.mark.slow
by_number = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="system calls are numbered as on x86-64"
)


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


# -- the network


def test_tcp_to_the_machines_own_addresses(arena: Arena) -> None:
    listener = Listener(socket.AF_INET, ("0.0.0.0", 0))
    carry_out(arena, "system/tcp", ADDRESSES=own_addresses(), PORT=listener.address[1])
    listener.close()
    assert listener.came == []


def test_abstract_sockets_of_the_machine(arena: Arena) -> None:
    name = f"\0hw-{os.getpid()}"
    listener = Listener(socket.AF_UNIX, name)
    carry_out(arena, "system/abstract_sockets", NAME=name)
    listener.close()
    assert listener.came == []


def test_socket_files_of_the_machine(arena: Arena, tmp_path: Path) -> None:
    path = tmp_path / "s"
    listener = Listener(socket.AF_UNIX, str(path))
    path.chmod(0o777)
    carry_out(arena, "system/socket_files", PATH=str(path))
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


def test_signals_do_not_reach_the_grader(arena: Arena, bystander: subprocess.Popen[bytes]) -> None:
    carry_out(arena, "system/signals_to_the_grader", GRADER=os.getpid(), BYSTANDER=bystander.pid)
    assert bystander.poll() is None


# -- rights


@by_number
def test_priorities_cannot_be_raised(arena: Arena) -> None:
    carry_out(arena, "system/priorities")


@by_number
def test_time_that_is_taken_from_others(arena: Arena) -> None:
    assert "stayed" in carry_out(arena, "system/time_of_others").printed


@by_number
def test_the_machines_clock_name_and_power(arena: Arena) -> None:
    name, before = socket.gethostname(), time.time()
    outcome = carry_out(arena, "system/machine")
    worked, refused = tried(outcome)
    # A sandbox may watch its own files.
    assert worked <= {"fanotify"}
    assert len(refused) >= 22
    assert socket.gethostname() == name
    assert abs(time.time() - before) < 100


@pytest.fixture
def key() -> Iterator[int]:
    """A key of the grader's, as a file system or Kerberos keeps them, in a keyring of this test."""
    if platform.machine() != "x86_64" or not sys.platform.startswith("linux"):
        pytest.skip("system calls are numbered as on x86-64")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(250, 1, None) < 0:  # KEYCTL_JOIN_SESSION_KEYRING
        pytest.skip("this machine has no keyrings")
    number = libc.syscall(248, b"user", b"hw-key", CANARY.encode(), len(CANARY), -3)
    assert number > 0
    yield number
    libc.syscall(250, 1, None)


def test_the_keys_of_the_grader_in_its_session_keyring(arena: Arena, key: int) -> None:
    carry_out(arena, "system/keys", KEY=key)


def test_a_key_left_for_the_next_student(arena: Arena, key: int) -> None:
    worked, refused = tried(carry_out(arena, "system/key_left"))
    assert "leave" in worked | refused
    carry_out(arena, "system/key_of_another")


@by_number
def test_memory_and_queues_that_processes_share(arena: Arena) -> None:
    """Shared memory and queues of System V and POSIX, made outside under known names."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    libc.shmdt.argtypes = [ctypes.c_void_p]
    key = 0x48570000 + os.getpid() % 0xFFFF
    segment = libc.shmget(key, 4096, 0o1666)
    queue = libc.msgget(key, 0o1666)
    at = libc.shmat(segment, None, 0)
    ctypes.memmove(at, CANARY.encode(), len(CANARY))
    posix = Path("/dev/shm") / f"hw-{os.getpid()}"
    posix.write_text(CANARY)
    try:
        carry_out(arena, "system/shared_memory", KEY=key, SEGMENT=segment, QUEUE=queue)
        assert ctypes.string_at(at, len(CANARY)) == CANARY.encode()
    finally:
        libc.shmdt(at)
        libc.shmctl(segment, 0, None)
        libc.msgctl(queue, 0, None)
        posix.unlink()
