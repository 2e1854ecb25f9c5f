"""Kernels without student code, seen from outside.

They share nothing with each other, and end with whatever they depend on. The policy holds for those
that are forked and for those that start from scratch, alike.
"""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest
from arena import POINTS, RIGHT, Arena, notebook

from hw_grading.answering import isolation
from hw_grading.answering.isolation import Limits
from hw_grading.sandbox import environment, kernel_process
from hw_grading.sandbox.kernel_process import PROGRAM, KernelProcess, KernelServer, start_alone
from hw_grading.sandbox.syscalls import filter_file

pytestmark = pytest.mark.slow

_PORTS = ("shell", "iopub", "stdin", "control", "hb")
CONNECTION = {
    **{f"{name}_port": number for number, name in enumerate(_PORTS, 1)},
    "transport": "ipc",
    "ip": f"{isolation.RUN}/socket",
    "key": "k",
    "kernel_name": "",
    "signature_scheme": "hmac-sha256",
}
LIMITS = Limits(memory_mb=900, processes=33, file_mb=7, folder_mb=4, open_files=99)
ABOUT = {
    "connection": json.dumps(CONNECTION).encode(),
    "connection_file": isolation.CONNECTION_FILE,
    "files": b"",
    "limits": asdict(LIMITS),
    "filter_of_tests": b"",
}


@pytest.fixture(scope="module")
def place() -> Iterator[KernelServer]:
    """A fork server of kernels, without a submission."""
    place = KernelServer.showing(environment.what_to_show(1, []))
    place.wait_until_ready()
    yield place
    place.end()


def fork(place: KernelServer, from_scratch: bool = False) -> KernelProcess:
    """Return a kernel that has made its sockets, and runs no student code."""
    ours, theirs = socket.socketpair()
    folder = place.new_folder()
    with ours, theirs, filter_file() as file:
        if from_scratch:
            program = [place.shown.python, *PROGRAM]
            line = isolation.bubblewrap(place.shown, LIMITS, folder, program, file.fileno())
            kernel = start_alone(line, ABOUT, theirs, pass_fds=[file.fileno()])
        else:
            kernel = place.kernel(folder, ABOUT, theirs)
    until = time.monotonic() + 60
    while not Path(folder, f"socket-{len(_PORTS)}").exists():
        assert kernel.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
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
        seen_there = [Path("/proc", str(pid), "root", folder).stat() for pid in sandboxed]
        assert len({one.st_dev for one in seen_there}) == 4
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


def test_the_first_process_outlives_its_kernel_for_second_tries(place: KernelServer) -> None:
    made = fork(place, FORKED)
    made.kernel.kill()
    made.kernel.wait(60)
    assert made.poll() is None
    made.kill()
    made.wait(60)


def test_kernels_end_with_the_fork_server() -> None:
    place = KernelServer.showing(environment.what_to_show(1, []))
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
    started = KernelServer.started

    def not_as_a_fork_server(line, *given, **options):  # type: ignore
        as_one = isolation.KERNELS in line
        return started(["false"] if as_one else line, *given, **options)

    monkeypatch.setattr(KernelServer, "started", not_as_a_fork_server)
    outcome = arena.grade(notebook(RIGHT))
    assert outcome.scores == POINTS
    assert outcome.problems == []
    assert kernel_process._from_scratch


# -- the policy, from outside


@pytest.fixture(scope="module")
def kernels(place: KernelServer) -> Iterator[dict[str, KernelProcess]]:
    made = {"forked": fork(place), "started": fork(place, from_scratch=True)}
    time.sleep(0.5)  # they open further descriptors
    yield made
    for kernel in made.values():
        kernel.kill()
        kernel.wait()


def of_both(kernels: dict[str, KernelProcess], read: Any) -> Any:
    """Read something of both kernels; expect that it is the same, and return it."""
    found = {kind: read(kernel.kernel.pid) for kind, kernel in kernels.items()}
    assert found["forked"] == found["started"]
    return found["forked"]


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


@pytest.mark.smoke
def test_no_process_has_a_capability_or_can_get_one(kernels: dict[str, KernelProcess]) -> None:
    def rights(pid: int) -> list[str]:
        found = status(pid)
        kinds = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
        return [found[kind] for kind in kinds]

    assert of_both(kernels, rights) == ["0" * 16] * 5 + ["1", "2"]
    assert rights(kernels["forked"].pid) == ["0" * 16] * 5 + ["1", "2"]
    if os.getuid() == 0:  # then they belong to a user who has nothing else
        for kernel in kernels.values():
            assert min(map(int, status(kernel.kernel.pid)["Uid"].split())) >= 1_000_000_000


def test_limits_are_hard_and_those_that_were_asked_for(kernels: dict[str, KernelProcess]) -> None:
    def limits(pid: int) -> dict[str, list[str]]:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
        return {line[:25].strip(): line[25:].split()[:2] for line in lines}

    found = of_both(kernels, limits)
    expected = {"Max address space": 900 << 20, "Max processes": 33, "Max file size": 7 << 20}
    expected |= {"Max open files": 99, "Max core file size": 0, "Max msgqueue size": 0}
    assert {name: found[name] for name in expected} == {
        name: [str(most)] * 2 for name, most in expected.items()
    }


def test_mounts_are_the_same_read_only_or_own_and_small(kernels: dict[str, KernelProcess]) -> None:
    """What a fork covers, and how it says the same, may differ."""

    def mounts(pid: int) -> dict[str, tuple[str, bool, bool, str]]:
        """Return the last mount at each place: its kind, read-only, nosuid, and size."""
        found = {}
        for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
            before, after = line.split(" - ")
            place, options = before.split()[4:6]
            kind, _, of_all = after.split()
            size = re.search(r"size=(\w+)", of_all) if place in isolation.OWN_FOLDERS else None
            flags = options.split(",")
            found[place] = kind, "ro" in flags, "nosuid" in flags, size[1] if size else ""
        for covered in (isolation.KERNELS, "/proc"):
            assert found.pop(covered, ("tmpfs", True, True, "")) == ("tmpfs", True, True, "")
        del found[isolation.RUN]  # from folders of different places
        return found

    found = of_both(kernels, mounts)
    own = {place for place, (_, read_only, _, _) in found.items() if not read_only}
    devices = {"null", "zero", "full", "random", "urandom", "tty"}
    assert own == {*isolation.OWN_FOLDERS, "/dev/pts", *(f"/dev/{name}" for name in devices)}
    assert {found[place][3] for place in isolation.OWN_FOLDERS} == {"4096k"}
    assert found["/"][1]
    assert found["/dev"][1]


def test_descriptors_lead_only_to_its_own_things(kernels: dict[str, KernelProcess]) -> None:
    def kinds(pid: int) -> set[str]:
        return {name.partition(":")[0] for name in opened(pid)}

    assert of_both(kernels, kinds) <= {"/dev/null", "/dev/urandom", "pipe", "socket", "anon_inode"}
