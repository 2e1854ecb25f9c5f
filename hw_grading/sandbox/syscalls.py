"""The system calls that student code may not make, as a filter in the kernel's binary form.

Most of these calls fail anyway without privileges. libseccomp makes the filter, because it knows
the numbers of the calls on each processor.
"""

import ctypes
import errno
import functools
import os
import tempfile
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
# Calls that an older libseccomp does not know, with the numbers that all usual processors share.
NUMBERS = {
    "cachestat": 451,
    "statmount": 457,
    "listmount": 458,
    "setxattrat": 463,
    "open_tree_attr": 467,
}

_ALLOW, _FAIL_WITH = 0x7FFF0000, 0x00050000
_GREATER, _MASKED_EQUAL = 6, 7  # SCMP_CMP_GT, SCMP_CMP_MASKED_EQ
_LIBRARY = "libseccomp.so.2"
_UNKNOWN = -1  # __NR_SCMP_ERROR; a call of another processor has a number below


class _Comparison(ctypes.Structure):
    _fields_ = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    ]


@functools.cache
def compiled_filter() -> bytes:
    """Return the filter in the kernel's binary form; `GraderFault` without libseccomp."""
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        raise GraderFault(
            f"{_LIBRARY} was not found. Install libseccomp2 (Debian, Ubuntu) or libseccomp (others)"
        ) from None
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    network = _Comparison(0, _GREATER, LAST_ADDRESS_FAMILY, 0)
    shared = _Comparison(3, _MASKED_EQUAL, _SHARED_WITHOUT_A_FILE, _SHARED_WITHOUT_A_FILE)
    rules: list[tuple[int, str, list[_Comparison]]] = [
        *((errno.EPERM, name, []) for names in REFUSED.values() for name in names),
        *((0, name, []) for name in PRETENDED),
        *((errno.EOPNOTSUPP, name, []) for name in NOT_SUPPORTED),
        (errno.EOPNOTSUPP, "socket", [network]),
        (errno.EPERM, "mmap", [shared]),
    ]
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
