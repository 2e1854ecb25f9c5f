"""Which calls of the kernel student code may not make, as a filter that bubblewrap lays on it.

Without privileges most of these fail anyway. They are refused because they open seldom used parts
of the kernel, or tell what the sandbox must not: the machine's name for a mounted folder
(`statmount`), or keys that outlive the process (`keyctl`). The filter is made by libseccomp, which
knows the numbers of the calls on each processor.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import tempfile
from typing import Any

from hw_grading.outcome import GraderFault

REFUSED = (
    # mounting, and what tells of mounts
    *("mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "mount_setattr"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "statmount", "listmount"),
    *("name_to_handle_at", "open_by_handle_at", "quotactl", "quotactl_fd"),
    # what tells of files that others open: the folders that all sandboxes show are the same ones
    *("inotify_init", "inotify_init1", "inotify_add_watch", "fanotify_init", "fanotify_mark"),
    # namespaces
    *("unshare", "setns"),
    # memory that belongs to no process, so that nobody counts it
    *("memfd_create", "memfd_secret", "shmget", "semget", "msgget", "mq_open", "mbind"),
    *("io_setup", "landlock_create_ruleset"),
    # keys: kept by user and session, beyond the life of a process
    *("add_key", "keyctl", "request_key"),
    # other processes' memory, descriptors and performance
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd"),
    *("kcmp", "perf_event_open", "lookup_dcookie"),
    # large parts of the kernel that no homework needs
    *("bpf", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    # the machine
    *("reboot", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module"),
    *("swapon", "swapoff", "acct", "syslog", "settimeofday", "clock_settime", "clock_adjtime"),
    *("adjtimex", "iopl", "ioperm", "vhangup", "sethostname", "setdomainname"),
)
# AF_UNIX, which the kernel's own sockets are. Those above are networks (bubblewrap's has a loopback
# of its own), or reach the system's kernel, the hypervisor, or hardware.
LAST_ADDRESS_FAMILY = 1
# What a socket may hold in its queue, which no process is charged with: nobody makes it larger.
_SOL_SOCKET, _SO_SNDBUF, _SO_SNDBUFFORCE = 1, 7, 32
# What `fcntl` is asked for: leases keep others from opening a file, notices tell what they open,
# pipes hold memory that no process is charged with.
FCNTL_REFUSED = {
    "F_SETSIG": 10,
    "F_OFD_SETLK": 37,
    "F_OFD_SETLKW": 38,
    "F_SETLEASE": 1024,
    "F_NOTIFY": 1026,
    "F_SETPIPE_SZ": 1031,
}
# Shared memory without a file stays when all of it but one page is no longer mapped.
_SHARED_WITHOUT_A_FILE = 0x21  # MAP_SHARED, MAP_ANONYMOUS
# Record locks are memory of the system's, without end. They do nothing, and say that they did:
# SQLite asks for them, and a process never meets its own.
FCNTL_PRETENDED = {"F_SETLK": 6, "F_SETLKW": 7}

_ALLOW, _REFUSE, _PRETEND = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000
# ZeroMQ asks for the network's interfaces, and takes this answer for "there are none".
_NOT_SUPPORTED = 0x00050000 | errno.EOPNOTSUPP
_GREATER, _MASKED_EQUAL = 6, 7  # SCMP_CMP_GT, SCMP_CMP_MASKED_EQ
_LOWER_HALF = 0xFFFFFFFF  # all that the system looks at of an int, whatever the register holds
_LIBRARY = "libseccomp.so.2"


class NoFilter(GraderFault):
    """The filter cannot be made on this machine."""


class _Comparison(ctypes.Structure):
    _fields_ = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    ]


@functools.cache
def compiled_filter() -> bytes:
    """Return the filter as the kernel takes it.

    Raises
    ------
    NoFilter
        Where libseccomp is missing or refuses.
    """
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        raise NoFilter(
            f"{_LIBRARY} was not found, which makes the filter of system calls. It belongs to "
            "libseccomp2 (Debian, Ubuntu) or libseccomp (Fedora, Arch): install that"
        ) from None
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    if not context:
        raise NoFilter("libseccomp made no filter")
    try:
        for name in REFUSED:
            _add_rule(library, context, _REFUSE, name)
        above = _Comparison(0, _GREATER, LAST_ADDRESS_FAMILY, 0)
        _add_rule(library, context, _NOT_SUPPORTED, "socket", above)
        for option in (_SO_SNDBUF, _SO_SNDBUFFORCE):
            pair = _is(1, _SOL_SOCKET), _is(2, option)
            _add_rule(library, context, _REFUSE, "setsockopt", *pair)
        for action, asked in ((_REFUSE, FCNTL_REFUSED), (_PRETEND, FCNTL_PRETENDED)):
            for command in asked.values():
                _add_rule(library, context, action, "fcntl", _is(1, command))
        shared = _is(3, _SHARED_WITHOUT_A_FILE, of=_SHARED_WITHOUT_A_FILE)
        _add_rule(library, context, _REFUSE, "mmap", shared)
        with tempfile.TemporaryFile() as file:
            _check(library.seccomp_export_bpf(context, file.fileno()), "the filter")
            file.seek(0)
            return file.read()
    finally:
        library.seccomp_release(context)


def filter_file() -> int:
    """Return a descriptor of a file with the filter, for bubblewrap to read; to be closed."""
    read, write = os.pipe()
    os.write(write, compiled_filter())
    os.close(write)
    return read


def _is(argument: int, value: int, of: int = _LOWER_HALF) -> _Comparison:
    """Compare these bits of an argument."""
    return _Comparison(argument, _MASKED_EQUAL, of, value)


def _add_rule(
    library: Any, context: Any, action: int, name: str, *comparisons: _Comparison
) -> None:
    """Add an action for a call whose arguments are so; none for a call that is not known here."""
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number < 0:  # this libseccomp is older than the call, or it is another processor's
        return
    array = (_Comparison * len(comparisons))(*comparisons)
    status = library.seccomp_rule_add_array(
        context, ctypes.c_uint32(action), number, ctypes.c_uint(len(comparisons)), array
    )
    _check(status, name)


def _check(status: int, what: str) -> None:
    if status != 0:
        raise NoFilter(f"libseccomp refused a rule about {what} ({os.strerror(-status)})")
