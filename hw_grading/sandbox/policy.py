"""What student code may do, as the command line of bubblewrap.

Users
    The grader runs as the user who starts `nbgrader autograde`. Student code runs as user 1000 of
    its own user namespace, without any capability. Outside of the namespace this is the grader's
    user. If the grader is root, it is a user that owns nothing (`as_nobody`).

What is protected
    Files: student code sees the system's programs and libraries, the Python environment,
    `hw_support`, and `inside/`, all read-only. It can write to three folders in memory, which are
    empty at first and are removed with the sandbox. There is no /proc, /sys, /home, /etc, /var or
    /root, and no path of the course, of other students or of the grader.
    The network: there is none, not even a loopback. Only sockets between processes of the sandbox
    can be opened.
    Other processes: student code sees and signals only its own.
    Other sandboxes: no file, memory, socket or lock is shared with them. They show the same
    read-only files, but calls are refused that tell which parts of these are in memory.
    The machine: sizes of memory, files, folders and the number of processes are limited. Student
    code cannot create further namespaces. Calls to seldom used parts of the kernel are refused. All
    processes die with the grader.

What is not protected
    The sandbox does not protect against faults of the kernel, of the processor, or of bubblewrap.
    Student code can measure how long something takes, and how busy the machine is. So sandboxes
    can signal to each other by timing, also to later ones: a file is read faster if another has
    read it. Student code can read the names of installed packages.

`command` starts one kernel, from scratch. `fork_server_command` starts a fork server, which imports
what kernels need and runs no student code. It forks a kernel for each submission, which first moves
into the same namespaces, folders and limits (`isolation`). All three are pure functions of their
arguments, and each of their lines has a test.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

WORK = "/home/student"
OWN_FOLDERS = (WORK, "/tmp", "/dev/shm")  # in memory, limited in size
RUN = "/run/kernel"
CONNECTION_FILE = "/run/connection.json"
KERNELS = "/run/kernels"  # in the fork server, with a folder for each of its kernels
HOMEWORK = "/opt/homework"
MATPLOTLIB = f"{WORK}/.cache/matplotlib"

# The only variables of the grader that are passed on. They determine how NumPy computes here.
PASSED_ON = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True)
class Limits:
    """What one submission may use at a time."""

    memory_mb: int = 3000  # of all processes together; also the address space of each process
    processes: int = 64  # and threads
    file_mb: int = 100  # of one file
    folder_mb: int = 200  # of each of the three writable folders
    open_files: int = 512  # files and sockets of one process
    terminals: int = 32  # pseudo-terminals of a forked kernel; ``!command`` needs one

    def for_process(self) -> dict[str, int]:
        """Return the limits that a process sets for itself before any student code runs."""
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
    """The parts of the machine that the sandbox shows."""

    folders: Mapping[str, str]  # read-only folders and files: path in the sandbox to path outside
    python: str  # the interpreter's path in the sandbox
    empty_file: str  # the path outside of an empty file, which covers hidden files
    # Paths in the sandbox, inside those folders, that are covered by empty files or folders. A path
    # that ends in "/" is a folder.
    hidden: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)  # path in the sandbox to target
    environment: Mapping[str, str] = field(default_factory=dict)  # added to that of every sandbox
    preload: Sequence[str] = ()  # modules that a fork server has imported before it forks kernels


def command(
    shown: Shown,
    limits: Limits,
    shared_folder: str,
    program: Sequence[str],
    *,
    filter_fd: int,
    info_fd: int | None = None,
) -> list[str]:
    """Return the command that runs `program` (with paths of the sandbox) in a sandbox.

    The kernel makes its sockets in the shared folder, which is for this run only. It is removed
    before any student code runs (`hw_grading.sandbox.kernel`). From `filter_fd` bubblewrap reads
    the filter of system calls; to `info_fd` it writes the pid of the sandbox's first process.
    """
    line = _begun(shown)
    # Student code must not make further namespaces: they give access to less tested kernel code.
    line += ["--disable-userns", "--seccomp", str(filter_fd)]
    line += _furnished(shown, limits, [RUN])
    line += ["--bind", shared_folder, RUN, "--remount-ro", "/", "--chdir", WORK]
    if info_fd is not None:
        line += ["--info-fd", str(info_fd)]
    return [*line, "--", *program]


def fork_server_command(
    shown: Shown, limits: Limits, shared_folder: str, program: Sequence[str]
) -> list[str]:
    """Return the command that runs the fork server of kernels (`answering.fork_server`).

    The fork server makes namespaces, so it has more rights than student code: no system call is
    refused, and it sees /proc and the folders of all its kernels. The kernels have none of these
    rights (`isolation`).
    """
    line = _begun(shown) + _furnished(shown, limits, [RUN, KERNELS])
    line += ["--perms", "0755", "--dir", RUN, "--bind", shared_folder, KERNELS]
    line += ["--bind", "/proc", "/proc", "--remount-ro", "/", "--chdir", WORK]
    return [*line, "--", *program]


def isolation(limits: Limits, name: str) -> dict[str, Any]:
    """Return the steps, in order, by which a forked process isolates itself and becomes a kernel.

    It makes its sockets in the folder `name`. These always follow: no capability, no new
    privileges, and the filter of system calls.
    """
    size = f"size={limits.folder_mb << 20}"
    return {
        # The new namespaces, which it shares with no other process.
        "namespaces": ["user", "mount", "pid", "net", "ipc", "uts", "cgroup"],
        "user": 1000,  # its user id and group id in the namespace
        # No further namespaces; and if memory runs out, the system kills student code first.
        "written": {"/proc/sys/user/max_user_namespaces": "0", "/proc/self/oom_score_adj": "500"},
        "bound": {f"{KERNELS}/{name}": RUN},  # folders, and their new paths
        "own": {  # new folders in memory, and their mount options
            WORK: f"mode=0700,{size}",
            "/tmp": f"mode=1777,{size}",
            "/dev/shm": f"mode=1777,{size}",
        },
        # It cannot open another kernel's terminals, and cannot use up all terminals of the machine.
        "terminals": {"/dev/pts": f"newinstance,ptmxmode=0666,mode=0600,max={limits.terminals}"},
        "covered": [KERNELS, "/proc"],  # by empty folders
        "connection_file": f"{KERNELS}/connection.json",
        "folder": WORK,  # at the start
        "limits": limits.for_process(),
    }


def _begun(shown: Shown) -> list[str]:
    # Namespaces: users, processes, network, shared memory and message queues, host name, cgroups.
    line = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net"]
    line += ["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    line += ["--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--hostname", "sandbox"]
    # Student code has no access to the grader's terminal. No process outlives the grader, even if
    # the grader is killed.
    line += ["--new-session", "--die-with-parent", "--clearenv"]
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
        if path.endswith("/"):
            line += ["--tmpfs", path.rstrip("/"), "--remount-ro", path.rstrip("/")]
        else:
            line += ["--ro-bind", shown.empty_file, path]
    # Devices: the sandbox has its own null, full, random, urandom, tty. None can be added. Shared
    # memory that is mapped from /dev/zero is charged to no process, so null replaces zero.
    line += ["--dev", "/dev", "--dev-bind", "/dev/null", "/dev/zero"]
    line += ["--perms", "1777", "--size", folder_bytes, "--tmpfs", "/dev/shm"]
    line += ["--remount-ro", "/dev"]
    line += ["--perms", "1777", "--size", folder_bytes, "--tmpfs", "/tmp"]
    line += ["--perms", "0700", "--size", folder_bytes, "--tmpfs", WORK]
    return line


def as_nobody(line: Sequence[str], user: int) -> list[str]:
    """Return a command that runs another `command` as a user who owns nothing, for root.

    Some folders may be readable only by root, for example an environment in /root. So root first
    mounts them in an outer sandbox, at the paths that they have in the inner one. In the outer
    sandbox root becomes `user`, who must own the shared folder. The inner sandbox is made of the
    files that this user sees there.
    """
    # `--die-with-parent` does not work across users. So the outer sandbox has a first process that
    # belongs to root. It dies with the grader, and then the system ends all other processes.
    outer = ["bwrap", "--unshare-pid", "--die-with-parent", "--cap-drop", "ALL"]
    outer += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    inner = list(line)
    if "--info-fd" in inner:  # report the pid of the outer sandbox's first process
        at = inner.index("--info-fd")
        outer += inner[at : at + 2]
        del inner[at : at + 2]
    line = inner[: inner.index("--")]
    for at, word in enumerate(line):
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


def start_fork_server(shown: Shown, control_fd: int, filter_fd: int) -> list[str]:
    """Return the program that forks kernels; see `hw_grading.inside.fork_server`."""
    start = [shown.python, "-m", "answering.fork_server", str(control_fd), str(filter_fd)]
    return [*start, *shown.preload]


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
        # Training allocates and frees large arrays in every step. So glibc keeps freed memory: that
        # is faster than getting cleared memory from the system each time.
        "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
        "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    }


def _parents(paths: Sequence[str]) -> list[str]:
    """Return all parent folders of these paths, outer ones first."""
    above = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    return sorted(above - {"/"})
