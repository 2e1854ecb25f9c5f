"""Forked kernels share nothing with each other, and end with whatever they depend on."""

import os
import signal
import socket
import time

import psutil
import pytest
from arena import POINTS, RIGHT, Arena, notebook
from kernels import CONNECTION, wait_for_socket

from hw_grading.answering.forking import ForkServer
from hw_grading.answering.isolation import Limits
from hw_grading.sandbox import environment, kernel_process
from hw_grading.sandbox.kernel_process import (
    KernelProcess,
    KernelServer,
    start_from_scratch,
)

pytestmark = pytest.mark.slow


def fork(place: KernelServer, from_scratch: bool = False) -> KernelProcess:
    """Return a kernel that has made its sockets, and runs no student code."""
    ours, theirs = socket.socketpair()
    folder = place.new_folder()
    given = folder, theirs, Limits(), CONNECTION
    with ours, theirs:
        kernel = start_from_scratch(place.shown, *given) if from_scratch else place.fork(*given)
    wait_for_socket(kernel, folder, 1)
    return kernel


def opened(pid: int) -> set[str]:
    folder = f"/proc/{pid}/fd"
    return {os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}


def is_gone(pid: int) -> bool:
    """Return whether a process ends and is reaped, which takes its parent a moment."""
    until = time.monotonic() + 60
    while psutil.pid_exists(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not psutil.pid_exists(pid)


def forking(place: KernelServer) -> psutil.Process:
    """Return the process that forks kernels; it runs Python."""
    below = psutil.Process(place.pid).children(recursive=True)
    return next(process for process in below if process.name().startswith("python"))


def test_kernels_and_the_fork_server_share_nothing(place: KernelServer) -> None:
    kernels = fork(place), fork(place), fork(place, from_scratch=True)
    sandboxed = [forking(place).pid, *(kernel.kernel.pid for kernel in kernels)]
    for name in os.listdir("/proc/self/ns"):
        if "children" not in name and name != "time":
            seen = {os.readlink(f"/proc/{pid}/ns/{name}") for pid in [os.getpid(), *sandboxed]}
            assert len(seen) == 5, name
    for folder in ("dev/pts", "tmp", "dev/shm", "home/student"):
        assert len({os.stat(f"/proc/{pid}/root/{folder}").st_dev for pid in sandboxed}) == 4
    pidfd = "anon_inode:[pidfd]"  # the name of all: the first process of a sandbox has its own
    of_fork_server = opened(sandboxed[0]) - {"/dev/null", pidfd}
    assert of_fork_server
    for kernel in kernels:
        assert pidfd not in opened(kernel.kernel.pid)
        assert not opened(kernel.pid) & of_fork_server
        assert not opened(kernel.kernel.pid) & of_fork_server
        kernel.kill()
        kernel.wait()


def test_a_kernel_may_use_the_cores_of_its_worker(place: KernelServer) -> None:
    before = os.sched_getaffinity(0)
    core = {max(before)}
    os.sched_setaffinity(0, core)
    try:
        kernel = fork(place)
    finally:
        os.sched_setaffinity(0, before)
    assert os.sched_getaffinity(kernel.kernel.pid) == core
    assert os.sched_getaffinity(fork(place).kernel.pid) == before


FORKED, FROM_SCRATCH = False, True


@pytest.mark.parametrize(
    ("ends", "from_scratch"),
    [
        ("first process", FORKED),
        ("first process", FROM_SCRATCH),
        ("kernel", FORKED),
        ("kernel", FROM_SCRATCH),
        ("who asked for it", FORKED),
    ],
)
def test_a_kernel_and_its_first_process_end_with_each_other(
    place: KernelServer, ends: str, from_scratch: bool
) -> None:
    made = fork(place, from_scratch)
    first, kernel = psutil.Process(made.pid), made.kernel.pid
    if ends == "first process":
        made.kill()
        made.wait()
        assert made.poll() == 1
    elif ends == "kernel":
        os.kill(kernel, signal.SIGKILL)
        made.wait(timeout=60)
    else:
        del made  # closes the socket, as the end of the process does
        first.wait(60)
    assert is_gone(kernel)
    assert is_gone(first.pid)


def test_kernels_end_with_the_fork_server() -> None:
    place = KernelServer(environment.what_to_show(1, []))
    kernel = fork(place)
    os.kill(place.pid, signal.SIGKILL)
    kernel.wait(timeout=60)
    with pytest.raises(OSError, match=r"ended|Broken pipe|reset"):
        fork(place)
    assert place.has_ended(within=60)
    place.end()


def test_random_numbers_differ_from_student_to_student(arena: Arena) -> None:
    draws = """
import random, numpy as np
print("drawn", random.random(), np.random.rand(), np.random.default_rng().random())
"""
    said = [arena.grade(notebook({}, before=draws)).printed for _ in range(2)]
    drawn = [text[text.index("drawn") :].split("\\n")[0].split()[1:] for text in said]
    assert len({number for numbers in drawn for number in numbers}) == 6


def test_kernels_start_from_scratch_if_none_can_be_forked(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_process, "_from_scratch", False)
    monkeypatch.setattr(kernel_process, "_current", None)
    started = ForkServer.started

    def not_as_a_fork_server(line, *given, **options):  # type: ignore
        return started([word for word in line if word != "fork"], *given, **options)

    monkeypatch.setattr(ForkServer, "started", not_as_a_fork_server)
    outcome = arena.grade(notebook(RIGHT))
    assert outcome.scores == POINTS
    assert outcome.problems == []
    assert kernel_process._from_scratch
