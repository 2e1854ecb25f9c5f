"""What student code may see and do: one policy, and the two ways in which it is applied.

======================================  ======================================================
rule                                    what it is for
======================================  ======================================================
user namespace, user 1000               Student code is not the grader's user. If the grader is
                                        root, it is a user who owns nothing.
no capability, no new privileges        A program with set-user-id gives no rights.
mounts: read-only programs, libraries,  It reads no path of the course, of other students, of
Python, `hw_support`, these files       the grader; no /proc, /sys, /home, /etc, /var, /root.
three folders in memory, of a size      It writes somewhere, and nothing of it is left. They
                                        have only copies of the homework's files at first.
network namespace without a loopback    It reaches no network, and no server on this machine.
namespace of processes                  It sees and signals only its own. All end with the
                                        first one, which ends with the grader.
namespaces of IPC, host name, cgroup    Nothing is shared by names, nothing is learned of them.
no further namespaces                   They give access to less tested parts of the kernel.
filter of system calls                  Calls that no homework needs are refused: each reason
                                        is beside the list of them.
a second filter while a test runs       A test leaves no file, process or signal behind.
/dev/null in the place of /dev/zero     Memory that is mapped from it would count for nobody.
own terminals, a number of them         It opens no other's, and does not use up the machine's.
limits of memory, processes, files      A submission does not take the machine from others.
chosen environment variables            No path and no secret of the grader's is passed on.
======================================  ======================================================

SECURITY.md lists what is not protected. Above all: faults of the Linux kernel, of the processor and
of bubblewrap, signals between sandboxes by timing, and the names of installed packages.

The policy is the data below. `bubblewrap` turns it into a command, for a kernel that starts from
scratch. `isolate` and `give_up_rights` apply it to a process that was forked for a submission. The
fork server runs no student code. It is in a sandbox of bubblewrap itself, so a fork has the same
read-only files, and adds only what must be its own. Both ways are tested for equal effects.
"""

import ctypes
import os
import resource
import secrets
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

# -- the policy

USER = 1000  # also the group
NAMESPACES = {  # with the numbers of `unshare`; mounts always have a namespace too
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "cgroup": 0x02000000,
}
WORK = "/home/student"
OWN_FOLDERS = {WORK: "0700", "/tmp": "1777", "/dev/shm": "1777"}  # in memory; with their rights
CONNECTION_FILE = f"{WORK}/.local/share/jupyter/runtime/kernel.json"
RUN = "/run/kernel"  # where the kernel makes its sockets; removed before any student code runs
KERNELS = "/run/kernels"  # in a fork server, with a folder for each of its kernels
HOMEWORK = "/opt/homework"
ENVIRONMENT = {  # nothing else is passed on, but for what `Shown` adds
    "HOME": WORK,
    "USER": "student",
    "PATH": "/opt/env/bin:/usr/bin",
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",
    "PYTHONPATH": HOMEWORK,
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLCONFIGDIR": f"{WORK}/.cache/matplotlib",
    "NBGRADER_EXECUTION": "autograde",
    # Training allocates and frees large arrays in every step. So glibc keeps freed memory: that is
    # faster than getting cleared memory from the system each time.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}


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


# -- the policy as a command

_Options = list[tuple[str, ...]]  # each with its values


def bubblewrap(
    shown: Shown,
    limits: Limits,
    folder: str,
    program: Sequence[str],
    filter_fd: int | None,
) -> list[str]:
    """Return the command that runs `program` (with paths of the sandbox) in a sandbox.

    The kernel makes its sockets in `folder`, which belongs to this run only. From `filter_fd`
    bubblewrap reads the filter of system calls. If it is None, the program is a fork server, and
    `folder` has a folder for each kernel. It makes namespaces, so it has more rights than student
    code: it sees /proc and these folders, and no system call is refused.
    """
    options: _Options = [(f"--unshare-{name}",) for name in NAMESPACES if name != "cgroup"]
    options += [("--unshare-cgroup-try",), ("--uid", str(USER)), ("--gid", str(USER))]
    options += [("--cap-drop", "ALL"), ("--hostname", "sandbox"), ("--clearenv",)]
    # Student code has no access to the grader's terminal. No process outlives the grader, even if
    # the grader is killed.
    options += [("--new-session",), ("--die-with-parent",)]
    variables = {**ENVIRONMENT, **shown.environment}
    options += [("--setenv", name, value) for name, value in variables.items()]
    parents = _parents([*shown.folders, *shown.links, *OWN_FOLDERS, f"{RUN}/any"])
    options += [("--perms", "0755", "--dir", parent) for parent in parents]
    options += [("--ro-bind", outside, inside) for inside, outside in shown.folders.items()]
    options += [("--symlink", target, path) for path, target in shown.links.items()]
    for path in shown.hidden:
        if path.endswith("/"):
            options += [("--tmpfs", path[:-1]), ("--remount-ro", path[:-1])]
        else:
            options += [("--ro-bind", shown.empty_file, path)]
    # Devices: the sandbox has its own null, full, random, urandom, tty. None can be added. Shared
    # memory that is mapped from /dev/zero is charged to no process, so null replaces zero.
    options += [("--dev", "/dev"), ("--dev-bind", "/dev/null", "/dev/zero")]
    size = str(limits.folder_mb << 20)
    for path, rights in OWN_FOLDERS.items():
        options += [("--perms", rights, "--size", size, "--tmpfs", path)]
    options += [("--remount-ro", "/dev")]
    if filter_fd is None:
        options += [("--bind", folder, KERNELS), ("--bind", "/proc", "/proc")]
    else:
        # Student code makes no further namespaces: they give access to less tested kernel code.
        options += [("--bind", folder, RUN)]
        options += [("--disable-userns",), ("--seccomp", str(filter_fd))]
    options += [("--remount-ro", "/"), ("--chdir", WORK)]
    if os.getuid() == 0:
        return _as_nobody(options, program, folder)
    return ["bwrap", *sum(options, ()), "--", *program]


def _as_nobody(options: _Options, program: Sequence[str], folder: str) -> list[str]:
    """Return the command for root: a user who owns nothing but `folder` makes the sandbox.

    Some folders may be readable only by root, for example an environment in /root. So root first
    mounts them in an outer sandbox, at the paths that they have in the inner one.
    """
    # `--die-with-parent` does not work across users. So the outer sandbox has a first process that
    # belongs to root. It dies with the grader, and then the system ends all other processes.
    outer: _Options = [("--unshare-pid",), ("--die-with-parent",), ("--cap-drop", "ALL")]
    outer += [("--cap-add", "CAP_SETUID"), ("--cap-add", "CAP_SETGID")]
    inner: _Options = []
    for option in options:
        if option[0] in ("--ro-bind", "--bind", "--symlink") or "--dir" in option:
            outer.append(option)
        if option[0] in ("--ro-bind", "--bind"):
            option = (option[0], option[2], option[2])
        inner.append(option)
    # bubblewrap needs a /tmp to build in, /proc to name its user, and /dev/null.
    outer += [("--perms", "1777", "--tmpfs", "/tmp"), ("--dev", "/dev"), ("--bind", *["/proc"] * 2)]
    user = 1_000_000_000 + secrets.randbelow(1_000_000_000)
    os.chown(folder, user, user)
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all"]
    inside = ["bwrap", *sum(inner, ()), "--", *program]
    return ["bwrap", *sum(outer, ()), "--", *become, "--", *inside]


def _parents(paths: Sequence[str]) -> list[str]:
    """Return all parent folders of these paths, outer ones first."""
    above = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    return sorted(above - {"/"})


# -- the policy, applied to a process that a fork server has forked

_NEW_MOUNTS = 0x00020000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_BIND, _RECURSIVE, _SLAVE = 4096, 16384, 1 << 19
_DROP_FROM_BOUNDING_SET, _SET_SECCOMP, _NO_NEW_PRIVILEGES = 24, 22, 38
_FILTER_MODE = 2
_CAPABILITIES_VERSION_3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)


def isolate(limits: Limits, name: str) -> None:
    """Move this process into namespaces of its own; its sockets will be in the folder `name`.

    The next process that it forks is the first one of the new namespace of processes.
    """
    user, group = os.geteuid(), os.getegid()
    _do("unshare", _libc.unshare, sum(NAMESPACES.values()) | _NEW_MOUNTS)
    for path, text in {
        "/proc/self/setgroups": "deny",
        "/proc/self/uid_map": f"{USER} {user} 1",
        "/proc/self/gid_map": f"{USER} {group} 1",
        "/proc/sys/user/max_user_namespaces": "0",  # as --disable-userns
        "/proc/self/oom_score_adj": "500",  # if memory runs out, student code is killed first
    }.items():
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    _mount(None, "/", None, _RECURSIVE | _SLAVE)
    _mount(f"{KERNELS}/{name}", RUN, None, _BIND)
    for path, rights in OWN_FOLDERS.items():
        options = f"mode={rights},size={limits.folder_mb << 20}"
        _mount("tmpfs", path, "tmpfs", _NO_SUID | _NO_DEVICES, options)
    # It cannot open another kernel's terminals, and cannot use up all terminals of the machine.
    options = f"newinstance,ptmxmode=0666,mode=0600,max={limits.terminals}"
    _mount("devpts", "/dev/pts", "devpts", _NO_SUID | _NO_PROGRAMS, options)
    for path in (KERNELS, "/proc"):  # empty folders cover them
        _mount("tmpfs", path, "tmpfs", _READ_ONLY | _NO_SUID | _NO_DEVICES, "size=4k,mode=0755")
    os.chdir(WORK)  # enter the new mount, which has the same path as the old folder


def give_up_rights(seccomp: bytes) -> None:
    """Give up all capabilities, for good, and install the filter of system calls."""
    _do("no new privileges", _libc.prctl, _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    for capability in range(64):
        if _libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0) != 0:  # beyond the last one
            break
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION_3, 0)
    _do("capset", _libc.capset, header, (ctypes.c_uint32 * 6)())
    install(seccomp)


def shut_in(descriptor: int, seccomp: bytes) -> None:
    """Close all but one descriptor, let this process write no file, and install another filter.

    Without a sandbox there is no filter.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if seccomp:
        install(seccomp)


def install(seccomp: bytes) -> None:
    """Install a filter of system calls, beside those that there are."""
    instructions = ctypes.create_string_buffer(seccomp, len(seccomp))
    program = struct.pack("HP", len(seccomp) // 8, ctypes.addressof(instructions))
    _do("seccomp", _libc.prctl, _SET_SECCOMP, _FILTER_MODE, program, 0, 0)


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str = ""
) -> None:
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    _do(f"mount on {target}", _libc.mount, *encoded, ctypes.c_ulong(flags), options.encode())


def _do(what: str, call: Callable[..., int], *arguments: Any) -> None:
    if call(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
