"""What student code may do, as the command line of bubblewrap.

Who runs as whom
    The grader is whoever types `nbgrader autograde`. Student code runs as user 1000 of a user
    namespace of its own, without any capability; outside it is the grader's own user, or, when the
    grader is root, a user that owns nothing (`as_nobody`).

What is protected
    Files: student code sees the system's programs and libraries, the Python environment,
    `hw_support`, and `inside/`, all read-only; besides, three empty folders in memory that go away
    with it. There is no /proc, /sys, /home, /etc, /var, /root; no path of the course, of other
    students, of the grader. The network: there is none, and no socket but those between processes
    of the sandbox, not even to a loopback. Other processes:
    student code sees and signals its own only. Other sandboxes: nothing is shared with them.
    The machine: sizes of memory, files, folders and the number of processes are limited, further
    namespaces cannot be made, calls to seldom used parts of the kernel are refused, and everything
    dies with the grader.

What is not protected
    Against faults of the kernel, of the processor, or of bubblewrap. How long something takes, and
    how busy the machine is, can be seen. Names of installed packages can be read.

Two ways lead there. `command` starts one kernel, from nothing. `nursery_command` starts a process
that imports what kernels need and runs no student code; it forks a kernel for each submission,
which first moves into rooms of its own, `own_rooms`: the same namespaces, folders and limits again.
All three are pure functions of their arguments: each of their lines has a test of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

WORK = "/home/student"
OWN_FOLDERS = (WORK, "/tmp", "/dev/shm")  # in memory, limited in size
RUN = "/run/kernel"
CONNECTION_FILE = "/run/connection.json"
KERNELS = "/run/kernels"  # in the nursery: a folder for each of its kernels
HOMEWORK = "/opt/homework"
MATPLOTLIB = f"{WORK}/.cache/matplotlib"

# The only variables of the grader's own that are passed on: how numpy computes on this machine.
PASSED_ON = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True)
class Limits:
    """What one submission may use at a time.

    Attributes
    ----------
    memory_mb
        Megabytes of memory, of all processes together; and of addresses, of each.
    processes
        Processes and threads.
    file_mb
        Megabytes of one file.
    folder_mb
        Megabytes of each of the three folders that can be written: home, /tmp, /dev/shm.
    open_files
        Files and sockets that one process has open.
    terminals
        Pseudo-terminals of a forked kernel; ``!command`` takes one.
    """

    memory_mb: int = 3000
    processes: int = 64
    file_mb: int = 100
    folder_mb: int = 200
    open_files: int = 512
    terminals: int = 32

    def for_process(self) -> dict[str, int]:
        """Return the limits that a process lays on itself before any student code runs."""
        return {
            "RLIMIT_AS": self.memory_mb << 20,
            "RLIMIT_NPROC": self.processes,
            "RLIMIT_FSIZE": self.file_mb << 20,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_CORE": 0,
            "RLIMIT_MSGQUEUE": 0,
        }


@dataclass(frozen=True)
class Shown:
    """What of the machine is in the sandbox.

    Attributes
    ----------
    folders
        And single files, read-only: path in the sandbox to path on the machine.
    hidden
        Paths in the sandbox, within those folders, that are made empty; those that end in "/" are
        folders.
    python
        The interpreter's path in the sandbox.
    empty_file
        On the machine: an empty file, which is laid over hidden ones.
    links
        Symbolic links: path in the sandbox to target.
    environment
        Variables besides those that every sandbox has.
    preload
        Modules that kernels find imported, where they are forked.
    """

    folders: Mapping[str, str]
    python: str
    empty_file: str
    hidden: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    preload: Sequence[str] = ()


def command(
    shown: Shown,
    limits: Limits,
    shared_folder: str,
    program: Sequence[str],
    *,
    filter_fd: int,
    info_fd: int | None = None,
) -> list[str]:
    """Return the command that runs `program` in a sandbox.

    Parameters
    ----------
    shown, limits
        What it sees and may use.
    shared_folder
        A folder of this run alone, in which the kernel makes its sockets. It is taken away again
        before any student code runs (`hw_grading.sandbox.kernel`).
    program
        Command and arguments, paths as they are in the sandbox.
    filter_fd
        Where bubblewrap reads which system calls are refused (`hw_grading.sandbox.syscalls`).
    info_fd
        Where bubblewrap writes the number of the sandbox's first process.
    """
    line = _begun(shown)
    # Student code makes no further namespaces: they open the kernel's less tested parts.
    line += ["--disable-userns"]
    line += ["--seccomp", str(filter_fd)]
    line += _furnished(shown, limits, [RUN])
    line += ["--bind", shared_folder, RUN]
    line += ["--remount-ro", "/"]
    line += ["--chdir", WORK]
    if info_fd is not None:
        line += ["--info-fd", str(info_fd)]
    return [*line, "--", *program]


def nursery_command(
    shown: Shown, limits: Limits, shared_folder: str, program: Sequence[str]
) -> list[str]:
    """Return the command that runs the process which forks kernels (`answering.nursery`).

    It makes namespaces, so that it may do more than student code: no call is refused, and it sees
    /proc and the folders of all its kernels. They do not (`own_rooms`).
    """
    line = _begun(shown)
    line += _furnished(shown, limits, [RUN, KERNELS])
    line += ["--perms", "0755", "--dir", RUN]
    line += ["--bind", shared_folder, KERNELS]
    line += ["--bind", "/proc", "/proc"]
    line += ["--remount-ro", "/"]
    line += ["--chdir", WORK]
    return [*line, "--", *program]


def own_rooms(limits: Limits, name: str) -> dict[str, Any]:
    """Return what a forked process does to itself before it becomes a kernel, in this order.

    Parameters
    ----------
    limits
        Of the submission.
    name
        Of the folder in which it makes its sockets.

    Returns
    -------
    dict
        namespaces
            What it shares with nobody from now on.
        user
            Its number, and its group's, within.
        written
            Files of /proc, and what is written to them: no namespaces below these; and where memory
            runs out, student code is what the system ends first.
        bound
            Folders, and where they appear.
        own
            New folders in memory, and their options.
        terminals
            Where it has pseudo-terminals, and the options of these: none of another kernel's can be
            opened, and nobody takes all that the machine has.
        covered
            What can be seen no more.
        connection_file
            Where its connection file is put.
        folder
            Where it begins.
        limits
            Which are laid on it last.

        After these come, always: no capability, no new privileges, and the filter of system calls.
    """
    size = f"size={limits.folder_mb << 20}"
    return {
        "namespaces": ["user", "mount", "pid", "net", "ipc", "uts", "cgroup"],
        "user": 1000,
        "written": {"/proc/sys/user/max_user_namespaces": "0", "/proc/self/oom_score_adj": "500"},
        "bound": {f"{KERNELS}/{name}": RUN},
        "own": {
            WORK: f"mode=0700,{size}",
            "/tmp": f"mode=1777,{size}",
            "/dev/shm": f"mode=1777,{size}",
        },
        "terminals": {"/dev/pts": f"newinstance,ptmxmode=0666,mode=0600,max={limits.terminals}"},
        "covered": [KERNELS, "/proc"],
        "connection_file": f"{KERNELS}/connection.json",
        "folder": WORK,
        "limits": limits.for_process(),
    }


def _begun(shown: Shown) -> list[str]:
    line = ["bwrap"]
    # Namespaces: users, processes, network, shared memory and message queues, host name, cgroups.
    line += ["--unshare-user", "--unshare-pid", "--unshare-net"]
    line += ["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    line += ["--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--hostname", "sandbox"]
    # No terminal to type into; and nothing outlives the grader, even one that was killed.
    line += ["--new-session", "--die-with-parent"]
    line += ["--clearenv"]
    for name, value in {**_every_environment(), **shown.environment}.items():
        line += ["--setenv", name, value]
    return line


def _furnished(shown: Shown, limits: Limits, places: Sequence[str]) -> list[str]:
    folder_bytes = str(limits.folder_mb << 20)
    line = []
    for parent in _parents([*shown.folders, *shown.links, *places, WORK]):
        line += ["--perms", "0755", "--dir", parent]
    for inside, outside in shown.folders.items():
        line += ["--ro-bind", outside, inside]
    for path, target in shown.links.items():
        line += ["--symlink", target, path]
    for path in shown.hidden:
        line += _emptied(path, shown.empty_file)
    # Devices: null, full, random, urandom, tty of its own; nothing can be added. Memory that is
    # mapped from zero, and shared, belongs to no process: null takes its place.
    line += ["--dev", "/dev", "--dev-bind", "/dev/null", "/dev/zero"]
    line += ["--perms", "1777", "--size", folder_bytes, "--tmpfs", "/dev/shm"]
    line += ["--remount-ro", "/dev"]
    line += ["--perms", "1777", "--size", folder_bytes, "--tmpfs", "/tmp"]
    line += ["--perms", "0700", "--size", folder_bytes, "--tmpfs", WORK]
    return line


def as_nobody(line: Sequence[str], user: int) -> list[str]:
    """Return a command that runs another `command` as a user who owns nothing, for root.

    The folders may be readable by root alone (an environment in /root, say). So they are laid out
    in an outer sandbox as root, at the paths that they have in the inner one; there root becomes
    `user`, and the inner sandbox is made of what that user sees.

    Parameters
    ----------
    line
        What `command` returned.
    user
        Number of a user and group; the shared folder must be theirs.
    """
    # A process that dies cannot take along one of another user. So all have a first process of
    # their own: root's, which dies with the grader, and with which the system ends all others.
    outer = ["bwrap", "--unshare-pid", "--die-with-parent", "--cap-drop", "ALL"]
    outer += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    inner = list(line)
    if "--info-fd" in inner:  # that first process is the one to know
        at = inner.index("--info-fd")
        outer += inner[at : at + 2]
        del inner[at : at + 2]
    line = list(inner)
    for at, word in enumerate(line):
        if word == "--":
            break
        if word == "--dir":
            outer += ["--perms", "0755", "--dir", line[at + 1]]
        elif word == "--symlink":
            outer += ["--symlink", line[at + 1], line[at + 2]]
        elif word in ("--ro-bind", "--bind"):
            outer += [word, line[at + 1], line[at + 2]]
            inner[at + 1] = line[at + 2]
    # bubblewrap needs a /tmp to build in, /proc to name its user, and /dev/null.
    outer += ["--perms", "1777", "--tmpfs", "/tmp", "--dev", "/dev", "--bind", "/proc", "/proc"]
    number = str(user)
    become = ["setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--inh-caps=-all"]
    return [*outer, "--", *become, "--", *inner]


def start_command(shown: Shown, limits: Limits, link_fd: int) -> list[str]:
    """Return the program that becomes the kernel; see `hw_grading.inside.start`."""
    start = [shown.python, "-m", "answering.start", CONNECTION_FILE]
    return [*start, str(link_fd), json.dumps(limits.for_process())]


def start_nursery(shown: Shown, control_fd: int, filter_fd: int) -> list[str]:
    """Return the program that forks kernels; see `hw_grading.inside.nursery`."""
    return [
        shown.python,
        "-m",
        "answering.nursery",
        str(control_fd),
        str(filter_fd),
        *shown.preload,
    ]


def _every_environment() -> dict[str, str]:
    return {
        "HOME": WORK,
        "USER": "student",
        "PATH": "/opt/env/bin:/usr/bin",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "PYTHONPATH": HOMEWORK,
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": MATPLOTLIB,
        "NBGRADER_EXECUTION": "autograde",
        # Large arrays come and go in every step of training: glibc keeps their memory, which costs
        # less than having it cleared by the system each time.
        "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
        "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    }


def _emptied(path: str, empty_file: str) -> list[str]:
    if path.endswith("/"):
        return ["--tmpfs", path.rstrip("/"), "--remount-ro", path.rstrip("/")]
    return ["--ro-bind", empty_file, path]


def _parents(paths: Sequence[str]) -> list[str]:
    """Return all folders above these paths, outer ones first."""
    above = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    return sorted(above - {"/"})
