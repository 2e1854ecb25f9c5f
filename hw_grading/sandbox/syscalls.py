"""The system calls that student code may not make, as a filter in the kernel's binary form.

Most of these calls fail anyway without privileges. libseccomp makes the filter, because it knows
the numbers of the calls on each processor.
"""

import ctypes
import errno
import functools
import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO

from hw_grading.outcome import GraderFault

REFUSED = {  # the reason, and the calls
    "they change mounts, or tell the machine's paths of mounted folders": (
        *("mount", "umount2", "pivot_root", "chroot", "open_tree", "open_tree_attr", "move_mount"),
        *("mount_setattr", "fsopen", "fspick", "statmount", "listmount", "open_by_handle_at"),
    ),
    "they make namespaces, which give access to less tested parts of the kernel": (
        *("unshare", "setns"),
    ),
    "they reach other processes, or tell what the machine does": (
        *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "perf_event_open"),
        *("syslog", "kcmp", "cachestat"),
    ),
    "no limit counts their memory": (
        *("memfd_create", "memfd_secret", "shmget", "semget", "msgget", "mq_open", "mbind"),
        *("io_setup", "landlock_create_ruleset", "timer_create"),
    ),
    "keys outlive the process: they belong to a user": (*("add_key", "keyctl", "request_key"),),
    "they are large parts of the kernel that no homework needs": (
        *("bpf", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"),
        *("modify_ldt", "personality", "vmsplice"),
    ),
}
# A kernel stays on the core of its worker: elsewhere it could slow down other submissions.
PRETENDED = ("sched_setaffinity",)
# A file's list of rights takes 64 kB that no limit counts. Programs that copy files go on without
# attributes if these are not supported.
NOT_SUPPORTED = ("setxattr", "lsetxattr", "fsetxattr", "setxattrat")
# AF_UNIX, the family of the Jupyter kernel's own sockets. Higher families are networks (the network
# namespace has its own loopback), or reach the system's kernel, the hypervisor, or hardware. ZeroMQ
# asks for the network's interfaces, and understands "not supported" as "there are none".
LAST_ADDRESS_FAMILY = 1
# MAP_SHARED, MAP_ANONYMOUS: such memory stays allocated as long as one of its pages is mapped.
_SHARED_WITHOUT_A_FILE = 0x21
_SHARED, _WRITABLE = 0x01, 0x02  # MAP_SHARED, PROT_WRITE

# What is refused besides while a test runs, in a fork of the kernel that leaves no trace.
REFUSED_IN_TESTS = {
    "they change files": (
        *("creat", "truncate", "ftruncate", "fallocate", "rename", "renameat", "renameat2"),
        *("link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "mkdir", "mkdirat"),
        *("rmdir", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown"),
        *("fchown", "lchown", "fchownat", "utime", "utimes", "utimensat", "futimesat", "flock"),
    ),
    "they start a process, which could go on": ("fork", "vfork", "execve", "execveat"),
    "they reach other processes": (
        *("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open"),
        *("pidfd_send_signal", "process_madvise", "process_mrelease", "setpriority"),
        *("ioprio_set", "sched_setscheduler", "sched_setparam", "sched_setattr", "setpgid"),
        *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"),
        *("sendmsg", "sendmmsg", "inotify_init", "inotify_init1", "fanotify_init"),
    ),
}
# Flags of `open`: O_WRONLY, O_RDWR, O_CREAT, O_TRUNC.
_TO_WRITE = (0o1, 0o2, 0o100, 0o1000)
_LOCKS = (6, 7, 37, 38, 1024)  # F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW, F_SETLEASE
_OF_A_THREAD = 0x10000  # CLONE_THREAD

# Calls that an older libseccomp does not know, with the numbers that all usual processors share.
NUMBERS = {
    "cachestat": 451,
    "statmount": 457,
    "listmount": 458,
    "setxattrat": 463,
    "open_tree_attr": 467,
}

_ALLOW, _FAIL_WITH = 0x7FFF0000, 0x00050000
_EQUAL, _GREATER, _MASKED_EQUAL = 4, 6, 7  # SCMP_CMP_EQ, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ
_LIBRARY = "libseccomp.so.2"
_UNKNOWN = -1  # __NR_SCMP_ERROR; a call of another processor has a number below


class _Comparison(ctypes.Structure):
    _fields_ = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    ]


_Rule = tuple[int, str, list[_Comparison]]  # the error, the call, and what its arguments are


@functools.cache
def compiled_filter() -> bytes:
    """Return the filter in the kernel's binary form; `GraderFault` without libseccomp."""
    network = _Comparison(0, _GREATER, LAST_ADDRESS_FAMILY, 0)
    shared = _has(3, _SHARED_WITHOUT_A_FILE)
    return _compiled(
        [
            *_refused(REFUSED),
            *((0, name, []) for name in PRETENDED),
            *((errno.EOPNOTSUPP, name, []) for name in NOT_SUPPORTED),
            (errno.EOPNOTSUPP, "socket", [network]),
            (errno.EPERM, "mmap", [shared]),
        ]
    )


@functools.cache
def filter_of_shared_memory() -> bytes:
    """Return the filter that a kernel has besides if the notebook has tests that leave no trace.

    Values could leave such a test through memory that was shared before it. Without such tests,
    a notebook may share memory, as the pools and locks of `multiprocessing` do.
    """
    return _compiled([(errno.EPERM, "mmap", [_has(3, _SHARED), _has(2, _WRITABLE)])])


@functools.cache
def filter_of_tests() -> bytes:
    """Return the filter that a kernel's child has besides, while it answers a test."""
    return _compiled(
        [
            *_refused(REFUSED_IN_TESTS),
            *((errno.EPERM, "open", [_has(1, flag)]) for flag in _TO_WRITE),
            *((errno.EPERM, "openat", [_has(2, flag)]) for flag in _TO_WRITE),
            *((errno.EPERM, "fcntl", [_Comparison(1, _EQUAL, lock, 0)]) for lock in _LOCKS),
            (errno.EPERM, "prlimit64", [_Comparison(0, _GREATER, 0, 0)]),
            (errno.EPERM, "clone", [_Comparison(0, _MASKED_EQUAL, _OF_A_THREAD, 0)]),
            # Their flags stand in memory, where no filter sees them. There are older calls.
            *((errno.ENOSYS, name, []) for name in ("clone3", "openat2")),
        ]
    )


def _refused(calls: Mapping[str, Sequence[str]]) -> list[_Rule]:
    return [(errno.EPERM, name, []) for names in calls.values() for name in names]


def _has(argument: int, flags: int) -> _Comparison:
    return _Comparison(argument, _MASKED_EQUAL, flags, flags)


def _compiled(rules: Sequence[_Rule]) -> bytes:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        raise GraderFault(
            f"{_LIBRARY} was not found. Install libseccomp2 (Debian, Ubuntu) or libseccomp (others)"
        ) from None
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    try:
        for error, name, when in rules:
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number == _UNKNOWN:  # this libseccomp is older than the call
                number = NUMBERS.get(name, number)
            if number >= 0:
                rule = ctypes.c_uint32(_FAIL_WITH | error), number, ctypes.c_uint(len(when))
                array = (_Comparison * len(when))(*when)
                _check(library.seccomp_rule_add_array(context, *rule, array), name)
        with tempfile.TemporaryFile() as file:
            _check(library.seccomp_export_bpf(context, file.fileno()), "the filter")
            file.seek(0)
            return file.read()
    finally:
        library.seccomp_release(context)


def filter_file() -> IO[bytes]:
    """Return a file from which bubblewrap reads the filter, once."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    file.write(compiled_filter())
    file.seek(0)
    return file


def _check(status: int, what: str) -> None:
    if status != 0:
        raise GraderFault(f"libseccomp refused a rule about {what} ({os.strerror(-status)})")
