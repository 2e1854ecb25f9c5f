"""The policy holds for kernels that are forked and for kernels that start from scratch, alike.

Student code says what it sees and may do in both, and the tests state what it must be. So a line of
the policy that one of them lacks fails here. test_fork_server.py looks at kernels from outside.
"""

import ctypes
import json
import platform
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from hw_grading.homework.homework import Homework
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun
from hw_grading.sandbox import environment
from hw_grading.sandbox.syscalls import NUMBERS, REFUSED, compiled_filter

slow = pytest.mark.slow

PROBE = """
import ctypes, errno, json, mmap, os, socket, sys, warnings
warnings.simplefilter("ignore")  # of a fork beside threads
libc = ctypes.CDLL(None, use_errno=True)
def why(function, *arguments):
    try:
        function(*arguments)
    except (OSError, ImportError) as error:
        return errno.errorcode.get(getattr(error, "errno", None), type(error).__name__)
def call(*arguments):
    return "" if libc.syscall(*arguments) >= 0 else errno.errorcode[ctypes.get_errno()]
def fill(folder):
    with open(folder + "/big", "wb") as file:
        for _ in range(8):
            file.write(bytes(1 << 20))
def foreign():
    "Whether calls by the numbers of x32 and of i386 work."
    #       push rbx; mov eax, 20 (getpid); int 0x80; pop rbx; ret
    code = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
    code.write(bytes.fromhex("53b814000000cd805bc3"))
    enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    for work in (lambda: libc.syscall(0x40000000 | 39) > 0, lambda: enter() > 0):
        if (child := os.fork()) == 0:
            os._exit(0 if work() else 1)
        yield os.waitpid(child, 0)[1] == 0
cores = os.sched_getaffinity(0)
refused = {name: call(*numbers) for name, numbers in CALLS.items()}
if CALLS:
    refused["foreign"] = list(foreign())
print("probed", json.dumps({
    "ids": [os.getresuid(), os.getresgid(), os.getgroups() in ([], [65534])],
    "first": os.getppid(),
    "names": [socket.gethostname(), os.getcwd(), sys.executable],
    "top": sorted({*os.listdir("/")} - {"proc"}),
    "run": [sorted({*os.listdir("/run")} - {"kernels"}), os.listdir("/run/kernel")],
    "hidden": [os.path.exists(path) and os.listdir(path) for path in ("/proc", "/run/kernels")],
    "etc": sorted(os.listdir("/etc")) if os.path.exists("/etc") else [],
    "devices": sorted(os.listdir("/dev")),
    "environment": dict(os.environ),
    "write": {path: why(open, path + "/new", "w") for path in FOLDERS},
    "fill": {path: why(fill, path) for path in ("/tmp", "/dev/shm", "/home/student")},
    "sockets": {family: why(socket.socket, family, 2) for family in (1, 2, 10, 16, 17, 38, 40)},
    "connect": why(socket.create_connection, ("127.0.0.1", PORT), 3),
    "import": why(__import__, "hw_grading"),
    "support": __import__("hw_support").__file__,
    "calls": refused,
    "done": [os.sched_setaffinity(0, {0}), os.sched_getaffinity(0) == cores, os.sync()],
}))
"""
FOLDERS = ["/", "/usr", "/opt", "/opt/homework", "/dev", "/etc", "/home", "/run", "/run/kernel"]
USER = 1 << 28
NEW = {"mount": 1 << 17, "pid": 1 << 29, "net": 1 << 30, "ipc": 1 << 27}
NEW |= {"user": USER, "uts": 1 << 26, "cgroup": 1 << 25, "time": 1 << 7}
# Calls on x86-64 that the filter refuses, each with its arguments.
CALLS: dict[str, tuple[Any, ...]] = {
    "unshare": (272, USER),
    "clone3": (435, 0, 0),
    "mount": (165, b"none", b"/tmp", b"tmpfs", 0, 0),
    "listmount": (458, 0, 0, 0, 0),
    "ptrace": (101, 16, 1, 0, 0),
    "keyctl": (250, 0, -3, 0),
    "memfd": (319, b"a", 0),
    "timer": (222, 1, 0, 0),
    "shared memory": (9, 0, 4096, 3, 0x21, -1, 0),
    "shared memory of System V": (29, 0, 4096, 0o1600),
    "attribute": (188, b"/tmp", b"user.a", b"a", 1, 0),
    "attribute of a descriptor": (190, 0, b"user.a", b"a", 1, 0),
    "syslog": (103, 3, 0, 0),
    "bpf": (321, 0, 0, 0),
    "io_uring": (425, 8, 0),
    "userfaultfd": (323, 0),
    "modify_ldt": (154, 0, bytes(16), 16),
    "personality": (135, 0xFFFFFFFF),
    "kcmp": (312, 1, 1, 0, 0, 0),
    "vmsplice": (278, 0, 0, 0, 0),
    "cachestat": (451, 0, bytes(16), bytes(40), 0),
    "perf_event_open": (298, 0, 0, -1, -1, 0),
    **{f"unshare {name}": (272, USER | flag) for name, flag in NEW.items()},
    "bind": (165, b"/usr", b"/tmp", 0, 4096, 0),
    "remount": (165, 0, b"/", 0, 32, 0),
    "umount": (166, b"/tmp", 2),
    "pivot_root": (155, b"/tmp", b"/tmp"),
    "chroot": (161, b"/tmp"),
    "fsopen": (430, b"tmpfs", 0),
    "open_tree": (428, -100, b"/", 1),
    "move_mount": (429, -100, b"/usr", -100, b"/tmp", 0),
    "mount_setattr": (442, -100, b"/usr", 0, bytes(32), 32),
    "open_by_handle": (304, -100, bytes(136), 0),
    "read memory": (310, 1, bytes(16), 1, bytes(16), 1, 0),
    "take a descriptor": (438, 0, 0, 0),
    "setns": (308, 0, 0),
    "setuid": (105, 0),
}
# These fail for any reason.
CLONES = {f"clone {name}": (56, USER | flag | 17, 0, 0, 0, 0) for name, flag in NEW.items()}


@pytest.fixture(scope="module")
def listener() -> Iterator[int]:
    """Yield the port of a socket of this machine, which can be reached from outside."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        port = server.getsockname()[1]
        yield port
        program = f"import socket; socket.create_connection(('127.0.0.1', {port}), 3)"
        subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture(scope="module")
def probed(listener: int) -> dict[str, dict[str, Any]]:
    names = {"FOLDERS": FOLDERS, "CALLS": CALLS | CLONES if platform.machine() == "x86_64" else {}}
    source = "".join(f"{name} = {value!r}\n" for name, value in {**names, "PORT": listener}.items())
    found = {}
    for kind in ("forked", "started"):
        nb = new_notebook(cells=[new_code_cell(source + PROBE)])
        settings = RunSettings(folder_mb=4, fork_kernels=kind == "forked")
        SubmissionRun(nb, 0, settings, Homework("")).run()
        text = "".join(output.get("text", str(output)) for output in nb.cells[-1].outputs)
        assert text.startswith("probed "), text
        found[kind] = json.loads(text.removeprefix("probed "))
    return found


EXPECTED: dict[str, Any] = {
    "ids": [[1000] * 3, [1000] * 3, True],
    "first": 1,
    "run": [["kernel"], []],
    "write": dict.fromkeys(FOLDERS, "EROFS") | {"/run/kernel": "ENOENT"},
    "fill": dict.fromkeys(["/tmp", "/dev/shm", "/home/student"], "ENOSPC"),
    "sockets": {"1": None, **dict.fromkeys(("2", "10", "16", "17", "38", "40"), "ENOTSUP")},
    "connect": "ENOTSUP",
    "import": "ModuleNotFoundError",
    "support": "/opt/homework/hw_support/__init__.py",
    "done": [None, True, None],
}


@slow
def test_both_see_and_may_do_the_same(probed: dict[str, dict[str, Any]]) -> None:
    forked, started = probed["forked"], probed["started"]
    assert forked.pop("hidden") in ([[], []], [False, False])
    assert started.pop("hidden") == [False, False]
    assert forked == started
    assert {what: started[what] for what in EXPECTED} == EXPECTED


@slow
@pytest.mark.smoke
def test_refused_calls_fail_as_if_rights_were_missing(probed: dict[str, dict[str, Any]]) -> None:
    calls = probed["started"]["calls"]
    if not calls:
        pytest.skip("system calls are numbered as on x86-64")
    special = {"clone3": "EINVAL", "attribute": "ENOTSUP", "setuid": "EINVAL"}
    special["attribute of a descriptor"] = "ENOTSUP"
    assert calls.pop("foreign") == [False, False]
    assert all(calls.pop(name) for name in CLONES)
    assert calls == dict.fromkeys(CALLS, "EPERM") | special


@slow
def test_nothing_of_the_machine_is_named(probed: dict[str, dict[str, Any]]) -> None:
    found = probed["started"]
    top = {"bin", "dev", "etc", "home", "lib", "lib32", "lib64", "opt", "run", "sbin", "tmp", "usr"}
    assert {*found["top"]} <= top
    assert {*found["etc"]} <= {"ld.so.cache", "alternatives"}
    assert found["names"][:2] == ["sandbox", "/home/student"]


# -- the filter


def test_an_older_libseccomp_makes_the_same_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    library = ctypes.CDLL("libseccomp.so.2")

    class Older:
        def __getattr__(self, name: str) -> Any:
            return getattr(library, name)

        def seccomp_syscall_resolve_name(self, name: bytes) -> int:
            known = name.decode() not in NUMBERS
            return int(library.seccomp_syscall_resolve_name(name)) if known else -1

    expected = compiled_filter()
    assert len(expected) > 8 * sum(map(len, REFUSED.values())) * 0.8  # the names are known here
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Older())
    assert compiled_filter.__wrapped__() == expected


def test_a_secret_in_a_folder_that_would_be_shown_is_refused() -> None:
    with pytest.raises(environment.SandboxUnavailable, match="which student code can read"):
        environment.what_to_show(1, [Path("/usr/local/courses")])
