"""Measures the memory of a submission's processes.

The system counts the resident memory of a process. This module adds data in the queues of sockets,
swapped memory, and page tables. It also counts mappings, since the system keeps a description of
each. Some system calls create memory that cannot be counted: these are refused
(`hw_grading.sandbox.syscalls`).
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

Processes = Sequence[psutil.Process]
_FEW = 500  # descriptors; the queues of this many sockets are not counted as memory
_WATCHER = "anon_inode:[eventpoll]"
_BESIDES = re.compile(rb"^(?:VmPTE|VmSwap):\s*(\d+) kB$", re.MULTILINE)


def file_of(path: str) -> bytes:
    """Return the content of a file of /proc; b"" if its process has ended, or there is no file."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def is_beyond(most_bytes: float, processes: Processes) -> bool:
    """Return whether processes together hold more memory than this."""
    most = most_bytes - _in_sockets(processes) - total(processes, besides)
    # The first measure is quick, but counts shared pages several times. The second one does not.
    return total(processes, resident) > most and total(processes, _own_share) > most


def has_more_maps(most: int, processes: Processes) -> bool:
    """Return whether processes together have more mappings than this. Reading stops there."""
    found = 0
    for process in processes:
        try:
            with open(f"/proc/{process.pid}/maps", "rb", buffering=0) as maps:
                while found <= most and (piece := maps.read(1 << 16)):
                    found += piece.count(b"\n")
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        except PermissionError:
            if not _is_ending(process):
                raise
    return found > most


def total(processes: Processes, measure: Callable[[psutil.Process], float]) -> float:
    """Return the sum of a measure over the processes that have not ended."""
    found = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            found += measure(process)
    return found


def besides(process: psutil.Process) -> float:
    """Return the bytes of a process that are not counted as resident: swap, and page tables."""
    status = file_of(f"/proc/{process.pid}/status")
    return 1024 * float(sum(map(int, _BESIDES.findall(status))))


def has_more_watchers(most: int, processes: Processes) -> bool:
    """Return whether processes together have more epoll descriptors than this.

    Each can watch hundreds of descriptors. The system limits the watches of all processes of a
    user together, which may be the user who grades.
    """
    return sum(target == _WATCHER for target in _descriptors(processes)) > most


def _in_sockets(processes: Processes) -> float:
    """Return how many bytes the queues of many sockets may hold; no process is charged with them.

    The filter of system calls makes sure that no queue is larger than the system's default.
    """
    sockets = {target for target in _descriptors(processes) if target.startswith("socket:")}
    most_in_one = float(file_of("/proc/sys/net/core/wmem_default") or 212_992)
    return max(0, len(sockets) - _FEW) * most_in_one


def _descriptors(processes: Processes) -> Iterator[str]:
    """Yield what each descriptor of the processes leads to, unless they have few together."""
    if total(processes, _open_files) < _FEW:
        return
    for process in processes:
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"/proc/{process.pid}/fd"):
                with contextlib.suppress(OSError):
                    yield os.readlink(entry.path)


def _open_files(process: psutil.Process) -> float:
    try:
        return float(process.num_fds())
    except psutil.AccessDenied:
        if _is_ending(process):
            return 0.0
        raise


def _is_ending(process: psutil.Process) -> bool:
    """Return whether a process has freed its memory. Only root may inspect such a process."""
    return total([process], resident) == 0


def resident(process: psutil.Process) -> float:
    """Return the resident bytes of a process, including shared pages."""
    return float(process.memory_info().rss)


def _own_share(process: psutil.Process) -> float:
    """Return the proportional set size in bytes, or the resident bytes if the system has none."""
    try:
        return float(getattr(process.memory_full_info(), "pss", process.memory_info().rss))
    except psutil.AccessDenied:
        return resident(process)
