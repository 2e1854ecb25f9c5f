"""Forked kernels are isolated, and have no more rights than kernels started from scratch."""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from arena import POINTS, RIGHT, Arena, notebook
from nbformat import NotebookNode

from hw_grading.sandbox import environment, fork_server, policy
from hw_grading.sandbox.fork_server import ForkedKernel, ForkServer, NoForkServer
from hw_grading.sandbox.policy import Limits

pytestmark = pytest.mark.slow
NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")


@pytest.fixture(scope="module")
def place() -> Iterator[ForkServer]:
    place = ForkServer(environment.what_to_show(1, []))
    place.wait_until_ready()
    yield place
    place.end()


def fork(place: ForkServer, **limits: int) -> ForkedKernel:
    """Return a kernel that has made its sockets, and runs no student code."""
    ours, theirs = socket.socketpair()
    folder = place.new_folder()
    names = ("shell", "iopub", "stdin", "control", "hb")
    connection: dict[str, object] = {f"{name}_port": n for n, name in enumerate(names, 1)}
    connection |= {"transport": "ipc", "ip": f"{policy.RUN}/socket", "key": "k"}
    connection |= {"signature_scheme": "hmac-sha256", "kernel_name": ""}
    with ours, theirs:
        kernel = place.fork(folder, theirs, Limits(**limits), connection)
    until = time.monotonic() + 60
    while not (Path(folder) / "socket-1").exists():
        assert kernel.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
    return kernel


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def opened(pid: int) -> set[str]:
    folder = f"/proc/{pid}/fd"
    return {os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}


def namespaces(pid: int) -> dict[str, str]:
    return {name: os.readlink(f"/proc/{pid}/ns/{name}") for name in NAMESPACES}


def is_gone(pid: int) -> bool:
    """Return whether a process ends and is reaped, which takes its parent a moment."""
    until = time.monotonic() + 60
    while psutil.pid_exists(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not psutil.pid_exists(pid)


def forking(place: ForkServer) -> psutil.Process:
    """Return the process that forks kernels; it runs Python."""
    below = psutil.Process(place.pid).children(recursive=True)
    return next(process for process in below if process.name().startswith("python"))


@pytest.mark.smoke
def test_neither_of_its_processes_has_a_capability_or_can_get_one(place: ForkServer) -> None:
    kernel = fork(place)
    for pid in (kernel.pid, kernel.kernel_pid):
        found = status(pid)
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(found[kind], 16) == 0
        assert found["NoNewPrivs"] == "1"
        assert found["Seccomp"] == "2"
    kernel.kill()
    kernel.wait()


def test_two_kernels_share_nothing_with_each_other_or_with_the_fork_server(
    place: ForkServer,
) -> None:
    one, another = fork(place), fork(place)
    ours = (one.kernel_pid, another.kernel_pid, forking(place).pid, os.getpid())
    here = [namespaces(pid) for pid in ours]
    for name in NAMESPACES:
        assert len({them[name] for them in here}) == (4 if name != "cgroup" else len(here))
    for kernel in (one, another):
        kernel.kill()
        kernel.wait()


def test_two_kernels_share_no_terminals_with_each_other_or_with_the_fork_server(
    place: ForkServer,
) -> None:
    one, another = fork(place), fork(place)
    pids = (one.kernel_pid, another.kernel_pid, forking(place).pid, os.getpid())
    terminals = {pid: Path("/proc", str(pid), "root", "dev", "pts") for pid in pids}
    assert len({folder.stat().st_dev for folder in terminals.values()}) == 4
    for kernel in (one, another):
        ptmx = (terminals[kernel.kernel_pid] / "ptmx").stat()
        assert ptmx.st_mode & 0o666 == 0o666
        kernel.kill()
        kernel.wait()


def test_a_kernel_has_no_file_of_the_fork_server_open(place: ForkServer) -> None:
    kernel = fork(place)
    of_fork_server = opened(forking(place).pid) - {"/dev/null"}
    assert of_fork_server
    kinds = {name.partition(":")[0] for name in opened(kernel.pid)}
    assert kinds == {"/dev/null", "pipe", "anon_inode"}  # the lifeline, and how it sees ends
    assert not opened(kernel.pid) & of_fork_server
    assert not opened(kernel.kernel_pid) & of_fork_server
    kernel.kill()
    kernel.wait()


def test_a_kernel_has_the_limits_that_were_asked_for(place: ForkServer) -> None:
    kernel = fork(place, memory_mb=900, processes=33, file_mb=7, open_files=99)
    text = Path(f"/proc/{kernel.kernel_pid}/limits").read_text()
    found = {line[:25].strip(): line[25:].split()[:2] for line in text.splitlines()}
    assert found["Max address space"] == [str(900 << 20)] * 2
    assert found["Max processes"] == ["33"] * 2
    assert found["Max file size"] == [str(7 << 20)] * 2
    assert found["Max open files"] == ["99"] * 2
    kernel.kill()
    kernel.wait()


def test_a_kernel_may_use_the_cores_of_its_worker(place: ForkServer) -> None:
    before = os.sched_getaffinity(0)
    core = {max(before)}
    os.sched_setaffinity(0, core)
    try:
        kernel = fork(place)
    finally:
        os.sched_setaffinity(0, before)
    assert os.sched_getaffinity(kernel.kernel_pid) == core
    assert os.sched_getaffinity(fork(place).kernel_pid) == before


def test_the_fork_server_has_one_thread(place: ForkServer) -> None:
    assert forking(place).num_threads() == 1


def test_when_the_first_process_ends_the_kernel_does(place: ForkServer) -> None:
    kernel = fork(place)
    kernel.kill()
    kernel.wait()
    assert kernel.poll() == 1
    assert is_gone(kernel.kernel_pid)


def test_when_the_kernel_ends_its_first_process_does(place: ForkServer) -> None:
    kernel = fork(place)
    os.kill(kernel.kernel_pid, signal.SIGKILL)
    kernel.wait(timeout=60)
    assert is_gone(kernel.pid)


def test_kernels_end_with_the_fork_server() -> None:
    place = ForkServer(environment.what_to_show(1, []))
    kernel = fork(place)
    os.kill(place.pid, signal.SIGKILL)
    kernel.wait(timeout=60)
    with pytest.raises(NoForkServer):
        fork(place)
    assert place.has_ended(within=60)
    place.end()


def test_a_failed_step_is_named(place: ForkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    isolated = policy.isolation(Limits(), "one")
    monkeypatch.setattr(policy, "isolation", lambda *_: isolated | {"bound": {"/nowhere": "/run"}})
    with pytest.raises(NoForkServer, match="mount on /run: No such file"):
        fork(place)
    assert not place.has_ended()


def test_random_numbers_differ_from_student_to_student(arena: Arena) -> None:
    draws = """
import random, numpy as np
print("drawn", random.random(), np.random.rand(), np.random.default_rng().random())
"""
    said = [arena.grade(notebook({}, before=draws)).printed for _ in range(2)]
    drawn = [text[text.index("drawn") :].split("\\n")[0].split()[1:] for text in said]
    assert len({number for numbers in drawn for number in numbers}) == 6


SHOWN = """
import sys, warnings
import matplotlib.pyplot as plt
import numpy as np
import hw_support
plt.plot(np.arange(5), label="$x^2$")
plt.legend()
plt.show()
for _ in hw_support.progress(range(3), "steps"):
    pass
print(sorted(sys.path), np.random.get_state()[1].shape, file=sys.stderr)
warnings.warn("of a student's")
display(np.eye(2))
def deep(n):
    return 1 / n if n < 1 else deep(n - 1)
deep(3)
"""


def as_seen(cell: NotebookNode) -> dict[str, str]:
    """Return a cell's outputs with joined streams, without times and process ids."""
    seen: dict[str, str] = {}
    for output in cell.outputs:
        kind = output.get("name") or output.output_type
        text = output.text if kind in ("stdout", "stderr") else json.dumps(output)
        seen[kind] = seen.get(kind, "") + re.sub(r"ipykernel_\d+", "", text)
    bar = seen["stdout"].rpartition("\r")[2]  # as it was left; its length depends on the times
    seen["stdout"] = re.sub(r"\|.*\]", "", bar)
    return seen


def test_a_forked_kernel_shows_the_same_as_one_started_from_scratch(arena: Arena) -> None:
    shown = []
    for forked in (True, False):
        outcome = arena.grade(notebook({}, before=SHOWN), fork_kernels=forked)
        [cell] = [cell for cell in outcome.nb.cells if cell.source == SHOWN]
        shown.append(as_seen(cell))
    assert shown[0] == shown[1]
    assert "image/png" in shown[0]["display_data"]
    assert "array([[1., 0.]" in shown[0]["display_data"]
    assert "steps: 100%" in shown[0]["stdout"]
    assert "UserWarning" in shown[0]["stderr"]
    assert "ZeroDivisionError" in shown[0]["error"]


def test_kernels_start_from_scratch_if_none_can_be_forked(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_server, "_refused", set())
    monkeypatch.setattr(fork_server, "_current", None)
    monkeypatch.setattr(policy, "start_fork_server", lambda *_: ["/bin/false"])
    outcome = arena.grade(notebook(RIGHT))
    assert outcome.scores == POINTS
    assert outcome.problems == []
    assert fork_server._refused == {os.getpid()}
