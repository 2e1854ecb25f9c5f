"""Reads a student's notebook file within limits of time and memory.

The bounds of `hw_support.submission.file` are on the file. Objects in memory take more than their
text, so a small file may take much memory.
"""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from hw_support.checks.time_limit import TimeLimitReached, time_limit
from hw_support.submission.file import UserError, read_submission
from hw_support.submission.problems import quoted

MEMORY_MB = 1_500  # beyond what the process has before; 100 MB of pictures take half of it
CPU_SECONDS, WALL_SECONDS = 30.0, 300.0
_SMALLER = "Clear its outputs to make it smaller, and submit it again"


def read_within_limits(path: Path) -> NotebookNode | str:
    """Return what `read_submission` does; a sentence instead of an error, which says why not.

    A worker can send either to another process.
    """
    why = f"the notebook {quoted(path.name)} cannot be read: expected one that takes at most"
    try:
        with _little_memory(MEMORY_MB), time_limit(CPU_SECONDS, WALL_SECONDS):
            return read_submission(path)
    except UserError as error:
        return str(error)
    except MemoryError:
        return f"{why} {MEMORY_MB:,} MB of memory, it takes more. {_SMALLER}"
    except TimeLimitReached:
        return f"{why} {CPU_SECONDS:g} s of CPU time, it takes more. {_SMALLER}"


@contextlib.contextmanager
def _little_memory(more_mb: int) -> Iterator[None]:
    """Let this process take only so many megabytes of addresses more than now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + (more_mb << 20)
    known = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([most, *known]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
