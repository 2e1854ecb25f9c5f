"""Each line of the sandbox's policy: attempts at what it forbids fail.

`inside` runs a line of Python in a sandbox and returns its output. Run without the sandbox, or
without one line of the policy, the same line has another output, so the test could have failed.
"""

import ctypes
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from hw_grading.homework.homework import Homework
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import Submission
from hw_grading.sandbox import environment, policy
from hw_grading.sandbox.policy import (
    Limits,
    Shown,
    as_nobody,
    command,
    fork_server_command,
    isolation,
)
from hw_grading.sandbox.syscalls import NUMBERS, REFUSED, compiled_filter, filter_file
from hw_grading.sandbox.user import as_caller

SHOWN = Shown(
    folders={"/usr": "/usr", "/opt/env": "/home/ada/course/.venv"},
    python="/opt/env/bin/python",
    empty_file="/tmp/empty",
    hidden=["/opt/env/names.pth", "/opt/env/ours/"],
    links={"/bin": "usr/bin"},
    environment={"EXTRA": "1"},
)


def line(**changes: object) -> list[str]:
    return command(SHOWN, Limits(), "/tmp/run", ["true"], filter_fd=7, **changes)  # type: ignore


def follows(words: list[str], *wanted: str) -> bool:
    size = len(wanted)
    return any(tuple(words[i : i + size]) == wanted for i in range(len(words)))


def test_the_command_is_a_pure_function_of_its_arguments() -> None:
    assert line() == line()
    assert line()[0] == "bwrap"
    assert line()[-2:] == ["--", "true"]


@pytest.mark.parametrize(
    "words",
    [
        ("--unshare-user",),
        ("--unshare-pid",),
        ("--unshare-net",),
        ("--unshare-ipc",),
        ("--unshare-uts",),
        ("--unshare-cgroup-try",),
        ("--disable-userns",),
        ("--uid", "1000"),
        ("--gid", "1000"),
        ("--cap-drop", "ALL"),
        ("--hostname", "sandbox"),
        ("--seccomp", "7"),
        ("--new-session",),
        ("--die-with-parent",),
        ("--clearenv",),
        ("--setenv", "EXTRA", "1"),
        ("--setenv", "HOME", "/home/student"),
        ("--perms", "0755", "--dir", "/opt"),
        ("--ro-bind", "/usr", "/usr"),
        ("--ro-bind", "/home/ada/course/.venv", "/opt/env"),
        ("--symlink", "usr/bin", "/bin"),
        ("--ro-bind", "/tmp/empty", "/opt/env/names.pth"),
        ("--tmpfs", "/opt/env/ours", "--remount-ro", "/opt/env/ours"),
        ("--dev", "/dev", "--dev-bind", "/dev/null", "/dev/zero"),
        ("--size", str(200 << 20), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),
        ("--size", str(200 << 20), "--tmpfs", "/tmp"),
        ("--perms", "0700", "--size", str(200 << 20), "--tmpfs", "/home/student"),
        ("--bind", "/tmp/run", "/run/kernel"),
        ("--remount-ro", "/"),
        ("--chdir", "/home/student"),
    ],
    ids=" ".join,
)
def test_the_command_has_these_options(words: tuple[str, ...]) -> None:
    assert follows(line(), *words)


def test_nothing_else_of_the_machine_is_bound_and_nothing_else_can_be_written() -> None:
    words = line()
    bound = [words[i + 1] for i, word in enumerate(words) if "bind" in word]
    assert bound == ["/usr", "/home/ada/course/.venv", "/tmp/empty", "/dev/null", "/tmp/run"]
    writable = [words[i + 1] for i, word in enumerate(words) if word == "--bind"]
    assert writable == ["/tmp/run"]
    assert "--proc" not in words


def test_limits_are_hard_ones_of_the_process() -> None:
    limits = Limits(memory_mb=10, processes=20, file_mb=30, open_files=40)
    assert limits.for_process() == {
        "RLIMIT_AS": 10 << 20,
        "RLIMIT_NPROC": 20,
        "RLIMIT_FSIZE": 30 << 20,
        "RLIMIT_NOFILE": 40,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
    }


def test_root_becomes_another_user_before_the_sandbox_is_made() -> None:
    words = as_nobody(line(), 70001)
    outer, inner = words[: words.index("setpriv")], words[words.index("setpriv") :]
    assert follows(outer, "--ro-bind", "/home/ada/course/.venv", "/opt/env")
    assert follows(inner, "setpriv", "--reuid", "70001", "--regid", "70001", "--clear-groups")
    # The inner sandbox uses the folders of the outer one, in which root's own paths do not exist.
    assert follows(inner, "--ro-bind", "/opt/env", "/opt/env")
    assert "/home/ada/course/.venv" not in inner
    assert follows(inner, "--bind", "/run/kernel", "/run/kernel")


def test_root_has_all_processes_end_with_one_of_its_own() -> None:
    words = as_nobody(line(info_fd=9), 70001)
    outer, inner = words[: words.index("setpriv")], words[words.index("setpriv") :]
    assert follows(outer, "bwrap", "--unshare-pid", "--die-with-parent")
    assert follows(outer, "--info-fd", "9")
    assert "--info-fd" not in inner


# -- kernels that are forked


def fork_server() -> list[str]:
    return fork_server_command(SHOWN, Limits(), "/tmp/run", ["true"])


def test_the_fork_server_sees_what_a_single_sandbox_sees_and_what_it_makes_namespaces_with() -> (
    None
):
    words = fork_server()
    for name in ("user", "pid", "net", "ipc", "uts"):
        assert f"--unshare-{name}" in words
    for wanted in ("--new-session", "--die-with-parent", "--clearenv"):
        assert wanted in words
    assert follows(words, "--cap-drop", "ALL")
    bound = [words[i + 1] for i, word in enumerate(words) if "bind" in word]
    assert bound == [
        *("/usr", "/home/ada/course/.venv", "/tmp/empty", "/dev/null", "/tmp/run", "/proc")
    ]
    writable = [words[i + 2] for i, word in enumerate(words) if word == "--bind"]
    assert writable == ["/run/kernels", "/proc"]
    assert follows(words, "--remount-ro", "/", "--chdir", "/home/student")


def test_a_forked_kernel_shares_no_namespace() -> None:
    assert set(isolation(Limits(), "one")["namespaces"]) == {
        *("user", "mount", "pid", "net", "ipc", "uts", "cgroup")
    }


def test_a_forked_kernel_sees_its_own_folder_and_no_more_of_what_the_fork_server_sees() -> None:
    isolated = isolation(Limits(folder_mb=3), "one")
    assert isolated["bound"] == {"/run/kernels/one": "/run/kernel"}
    assert isolated["covered"] == ["/run/kernels", "/proc"]
    size = f"size={3 << 20}"
    assert isolated["own"] == {
        "/home/student": f"mode=0700,{size}",
        "/tmp": f"mode=1777,{size}",
        "/dev/shm": f"mode=1777,{size}",
    }


def test_a_forked_kernel_has_terminals_of_its_own() -> None:
    [(folder, options)] = isolation(Limits(terminals=3), "one")["terminals"].items()
    assert folder == "/dev/pts"
    assert {"newinstance", "max=3"} <= set(options.split(","))


def test_a_forked_kernel_makes_no_namespaces_and_is_ended_before_the_grader() -> None:
    written = isolation(Limits(), "one")["written"]
    assert written["/proc/sys/user/max_user_namespaces"] == "0"
    assert int(written["/proc/self/oom_score_adj"]) > 0


def test_a_forked_kernel_has_the_same_limits() -> None:
    limits = Limits(memory_mb=77)
    assert isolation(limits, "one")["limits"] == limits.for_process()
    assert isolation(limits, "one")["user"] == 1000


# -- in real sandboxes

Inside = Callable[..., str]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Inside:
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o755)
    limits = Limits(folder_mb=4)
    shown = environment.what_to_show(1, [])

    def run(source: str, without: str = "") -> str:
        fd = filter_file()
        words = command(shown, limits, str(folder), [shown.python, "-c", source], filter_fd=fd)
        if without:
            at = words.index(without)
            del words[at : at + 1 + (without in ("--seccomp",))]
        done = subprocess.run(
            as_caller(words, folder), capture_output=True, text=True, timeout=60, pass_fds=[fd]
        )
        os.close(fd)
        return done.stdout + done.stderr

    return run


def forked(source: str) -> str:
    nb = new_notebook(cells=[new_code_cell(source)])
    Submission(nb, 0, RunSettings(folder_mb=4), Homework("")).run()
    said = ""
    for output in nb.cells[-1].outputs:
        if output.output_type == "error":
            said += f"{output.ename}: {output.evalue}\n"
        elif output.output_type == "stream":
            said += output.text
    return said


@pytest.fixture(scope="module", params=["started", "forked"])
def inside(request: pytest.FixtureRequest) -> Inside:
    return forked if request.param == "forked" else request.getfixturevalue("started")


slow = pytest.mark.slow


@slow
def test_it_is_an_unprivileged_user_alone_with_its_processes(inside: Inside) -> None:
    said = inside(
        "import os; print(os.getuid(), os.getgid(), os.getgroups(), os.getpid() < 10, os.getcwd())"
    )
    assert said == "1000 1000 [] True /home/student\n" or said.startswith("1000 1000 [65534")
    assert inside("import os; os.setuid(0)").strip().endswith("Error: [Errno 22] Invalid argument")
    assert (
        inside("import os; os.chroot('/tmp')").strip().endswith("Operation not permitted: '/tmp'")
    )


@slow
def test_the_root_holds_what_the_policy_names_and_no_more(inside: Inside) -> None:
    top = inside("import os; print(*sorted(os.listdir('/')))").split()
    assert set(top) <= {
        *("bin", "dev", "etc", "home", "lib", "lib32", "lib64", "opt", "run", "sbin", "tmp", "usr"),
        "proc",
    }
    assert inside("import os; print(os.path.exists('/proc') and os.listdir('/proc'))") in (
        *("False\n", "[]\n"),
    )
    assert inside("import os; print(os.listdir('/home'), *sorted(os.listdir('/run')))") in (
        *("['student'] kernel\n", "['student'] kernel kernels\n"),
    )
    assert inside(
        "import os; print(os.path.exists('/run/kernels') and os.listdir('/run/kernels'))"
    ) in (*("False\n", "['connection.json']\n"),)
    assert set(inside("import os; print(*os.listdir('/etc'))").split()) <= {
        "ld.so.cache",
        "alternatives",
    }


@slow
@pytest.mark.parametrize("folder", ["/", "/usr", "/opt", "/opt/homework", "/dev", "/etc", "/home"])
def test_only_its_own_folders_can_be_written(inside: Inside, folder: str) -> None:
    assert "Read-only file system" in inside(f"open({folder!r} + '/new', 'w')")


@slow
@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/home/student"])
def test_its_own_folders_are_small(inside: Inside, folder: str) -> None:
    write = f"f = open({folder!r} + '/big', 'wb')\nfor _ in range(8): f.write(bytes(1 << 20))"
    assert "No space left on device" in inside(write)
    assert inside(f"open({folder!r} + '/small', 'wb').write(bytes(1 << 20))") == ""


@slow
@pytest.mark.smoke
def test_there_is_no_network_not_even_a_loopback(inside: Inside, started: Inside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        call = (
            f"import socket; socket.create_connection(('127.0.0.1', {port}), 3); print('through')"
        )
        assert "Operation not supported" in inside(call)
        # Without the filter there is a loopback, which belongs to the sandbox.
        assert "Connection refused" in started(call, without="--seccomp")
        here = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True)
        assert here.stdout == "through\n"


@slow
def test_the_environment_is_a_clean_one(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_SECRET", "canary")
    said = inside("import os; print(sorted(os.environ), sorted(os.environ.values()))")
    assert "GRADER_SECRET" not in said
    assert "canary" not in said
    assert str(Path.home()) not in said.replace(policy.WORK, "")


@slow
def test_no_path_of_this_machine_can_be_read_from_its_mounts(inside: Inside) -> None:
    listmount = (
        "import ctypes, struct; c = ctypes.CDLL(None, use_errno=True); "
        "r = struct.pack('<IIQQ', 24, 0, 2**64 - 1, 0); b = (ctypes.c_uint64 * 256)(); "
        "print(c.syscall(458, r, b, 256, 0), ctypes.get_errno())"
    )
    assert inside(listmount) == "-1 1\n"
    assert "No such file" in inside("open('/proc/self/mountinfo')")


@slow
def test_further_namespaces_cannot_be_made(inside: Inside, started: Inside) -> None:
    unshare = (
        "import ctypes; c = ctypes.CDLL(None, use_errno=True); "
        "print(c.unshare(0x10000000), ctypes.get_errno())"
    )
    assert inside(unshare) == "-1 1\n"
    assert started(unshare, without="--seccomp") == "-1 28\n"  # --disable-userns by itself


@slow
def test_sockets_of_other_kinds_are_not_supported(inside: Inside) -> None:
    for family in (2, 10, 16, 17, 38, 40):  # IP, netlink, packet, alg, vsock
        said = inside(f"import socket; socket.socket({family}, socket.SOCK_DGRAM)")
        assert "Operation not supported" in said


@slow
def test_the_refused_calls_are_known_here() -> None:
    assert len(compiled_filter()) > 8 * len(REFUSED) * 0.8


def test_an_older_libseccomp_makes_the_same_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    library = ctypes.CDLL("libseccomp.so.2")

    class Older:
        def __getattr__(self, name: str) -> Any:
            return getattr(library, name)

        def seccomp_syscall_resolve_name(self, name: bytes) -> int:
            known = name.decode() not in NUMBERS
            return int(library.seccomp_syscall_resolve_name(name)) if known else -1

    expected = compiled_filter()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Older())
    assert compiled_filter.__wrapped__() == expected


@slow
def test_what_belongs_to_this_project_is_hidden_among_the_packages(inside: Inside) -> None:
    source = (
        "import pathlib, sys; p = pathlib.Path(sys.prefix); "
        "print('sizes', {f.stat().st_size for f in p.rglob('site-packages/*.pth')}, "
        "'files', [*p.rglob('site-packages/hw2_homework*/*')])"
    )
    assert inside(source) in ("sizes {0} files []\n", "sizes set() files []\n")
    assert "No module named 'hw_grading'" in inside("import hw_grading")
    assert inside("import hw_support, answering.serve; print(hw_support.__file__)") == (
        "/opt/homework/hw_support/__init__.py\n"
    )


def test_a_secret_in_a_folder_that_would_be_shown_is_refused() -> None:
    with pytest.raises(environment.Exposed, match="which student code can read"):
        environment.what_to_show(1, [Path("/usr/local/courses")])
