"""The system calls that student code may not make, as a filter that bubblewrap installs.

Most of these calls fail anyway without privileges. They are refused for three reasons. Some give
access to seldom used parts of the kernel. Others reveal data that the sandbox must hide: the
machine's path of a mounted folder (`statmount`), or keys that outlive the process (`keyctl`). The
rest could pass data on to another sandbox through a file that both show: the system remembers which
parts of the file are in memory, and who has locked it.
libseccomp makes the filter, because it knows the numbers of the calls on each processor.
"""

import ctypes
import errno
import functools
import os
import tempfile
from typing import Any

from hw_grading.outcome import GraderFault

REFUSED = (
    # mounting, and information about mounts
    *("mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "mount_setattr"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "statmount", "listmount", "open_tree_attr"),
    *("name_to_handle_at", "open_by_handle_at", "quotactl", "quotactl_fd"),
    # notices of files that others open: all sandboxes show the same folders
    *("inotify_init", "inotify_init1", "inotify_add_watch", "fanotify_init", "fanotify_mark"),
    # which parts of a file are in memory
    *("mincore", "cachestat"),
    # namespaces
    *("unshare", "setns"),
    # memory that belongs to no process, and so is not counted
    *("memfd_create", "memfd_secret", "shmget", "semget", "msgget", "mq_open", "mbind"),
    *("io_setup", "landlock_create_ruleset"),
    # timers that fire in the system's time: a process can make 100,000, which work while it sleeps
    "timer_create",
    # keys: they belong to a user or session, and outlive the process
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
# AF_UNIX, the family of the Jupyter kernel's own sockets. Higher families are networks (the network
# namespace has its own loopback), or reach the system's kernel, the hypervisor, or hardware.
LAST_ADDRESS_FAMILY = 1
# The size of a socket's queue. No process is charged with its memory, so it must not be increased.
_SOL_SOCKET, _SO_SNDBUF, _SO_SNDBUFFORCE = 1, 7, 32
# Refused commands of `fcntl`. Leases keep others from opening a file. Notices reveal which files
# others open. Large pipes hold memory that no process is charged with.
FCNTL_REFUSED = {
    "F_SETSIG": 10,
    "F_OFD_SETLK": 37,
    "F_OFD_SETLKW": 38,
    "F_SETLEASE": 1024,
    "F_NOTIFY": 1026,
    "F_SETPIPE_SZ": 1031,
}
# Shared memory without a file stays allocated as long as one of its pages is mapped.
_SHARED_WITHOUT_A_FILE = 0x21  # MAP_SHARED, MAP_ANONYMOUS
# Record locks take memory of the system, without a limit. So they do nothing, but report success:
# SQLite needs them, and a process never conflicts with its own locks.
FCNTL_PRETENDED = {"F_SETLK": 6, "F_SETLKW": 7}
# These do nothing either, but report success. One sandbox's lock on a file would be seen by others.
# Advice could remove a file from memory, which others would notice. A kernel stays on the core of
# its worker: it could slow down another submission on that one's core. `sync` writes the files of
# the whole machine.
PRETENDED = ("flock", "fadvise64", "sched_setaffinity", "sync", "syncfs")
_MADVISE_REFUSED = {"MADV_COLD": 20, "MADV_PAGEOUT": 21}  # the same for a mapped file
# Attributes of files: a list of rights takes 64 kB of the system, which no limit counts.
# Programs that copy files go on without attributes if they are not supported.
NOT_SUPPORTED = ("setxattr", "lsetxattr", "fsetxattr", "setxattrat")
# Calls that an older libseccomp does not know, with the numbers that all usual processors share.
NUMBERS = {
    "cachestat": 451,
    "statmount": 457,
    "listmount": 458,
    "setxattrat": 463,
    "open_tree_attr": 467,
}
# No flags of these calls: RWF_NOWAIT reveals which parts of a file are in memory.
_WITHOUT_FLAGS = ("preadv2", "pwritev2")

_ALLOW, _REFUSE, _PRETEND = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000
# ZeroMQ asks for the network's interfaces, and understands this error as "there are none". It is
# also the kernel's own answer to flags that it does not know, and to attributes that a file system
# does not keep.
_NOT_SUPPORTED = 0x00050000 | errno.EOPNOTSUPP
_GREATER, _MASKED_EQUAL = 6, 7  # SCMP_CMP_GT, SCMP_CMP_MASKED_EQ
_LOWER_HALF = 0xFFFFFFFF  # for an int, the system uses only this half of the register
_LIBRARY = "libseccomp.so.2"
_UNKNOWN = -1  # __NR_SCMP_ERROR; a call of another processor has a number below


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
    """Return the filter in the kernel's binary form; raise `NoFilter` if there is no libseccomp."""
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        raise NoFilter(
            f"{_LIBRARY}, which makes the filter of system calls, was not found. Install "
            "libseccomp2 (Debian, Ubuntu) or libseccomp (Fedora, Arch)"
        ) from None
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    if not context:
        raise NoFilter("libseccomp made no filter")
    try:
        for name in REFUSED:
            _add_rule(library, context, _REFUSE, name)
        for name in PRETENDED:
            _add_rule(library, context, _PRETEND, name)
        for name in NOT_SUPPORTED:
            _add_rule(library, context, _NOT_SUPPORTED, name)
        for name in _WITHOUT_FLAGS:
            _add_rule(library, context, _NOT_SUPPORTED, name, _Comparison(5, _GREATER, 0, 0))
        for advice in _MADVISE_REFUSED.values():
            _add_rule(library, context, _REFUSE, "madvise", _is(2, advice))
        above = _Comparison(0, _GREATER, LAST_ADDRESS_FAMILY, 0)
        _add_rule(library, context, _NOT_SUPPORTED, "socket", above)
        for option in (_SO_SNDBUF, _SO_SNDBUFFORCE):
            _add_rule(library, context, _REFUSE, "setsockopt", _is(1, _SOL_SOCKET), _is(2, option))
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
    """Return a descriptor from which bubblewrap reads the filter. The caller has to close it."""
    read, write = os.pipe()
    os.write(write, compiled_filter())
    os.close(write)
    return read


def _is(argument: int, value: int, of: int = _LOWER_HALF) -> _Comparison:
    """Return a comparison of the bits `of` an argument with a value."""
    return _Comparison(argument, _MASKED_EQUAL, of, value)


def _add_rule(
    library: Any, context: Any, action: int, name: str, *comparisons: _Comparison
) -> None:
    """Add an action for a call with such arguments; skip a call of another processor."""
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number == _UNKNOWN:  # this libseccomp is older than the call
        number = NUMBERS.get(name, number)
    if number < 0:
        return
    array = (_Comparison * len(comparisons))(*comparisons)
    count = ctypes.c_uint(len(comparisons))
    rule = context, ctypes.c_uint32(action), number, count, array
    _check(library.seccomp_rule_add_array(*rule), name)


def _check(status: int, what: str) -> None:
    if status != 0:
        raise NoFilter(f"libseccomp refused a rule about {what} ({os.strerror(-status)})")
