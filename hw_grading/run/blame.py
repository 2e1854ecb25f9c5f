"""Whose doing it is when something goes wrong: the submission's, or the grader's own.

The rule: only what was *seen* to be the submission's doing makes a score. Three things are:

- its kernel has ended (and nothing of the grader's that the kernel needs has);
- a limit was reached (`hw_grading.sandbox.watch.Stop`, `hw_grading.run.clock.Clock`);
- what the kernel sends cannot be understood, or it takes and sends nothing any more (`Spoilt`).

Every other exception is the grader's own: no file can be opened, no memory is left, a disk is full,
this code has a mistake. `hw_grading.batch.job.run` makes a `NotGraded` of it: no score, a report,
exit status 1. So exceptions are caught by name here, or in an exchange with the kernel (`talking`).
"""

from __future__ import annotations

import contextlib
import errno
import traceback
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import ValidationError

import hw_grading
from hw_grading.outcome import GraderFault

# Of a connection whose other end has ended, or does not keep up.
_OTHER_END = {
    *(errno.EPIPE, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.ENOTCONN),
    *(errno.EAGAIN, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EMSGSIZE),
}
# Of code of several libraries that takes a message for what it should be.
_OF_MESSAGES = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError),
    *(AssertionError, ValidationError),
    *(EOFError, Empty, TimeoutError, CellControlSignal, DeadKernelError),
)


class Spoilt(Exception):
    """An exchange with the kernel failed by what the kernel sent, or by its silence."""


def of_the_kernel(error: Exception) -> bool:
    """Whether an exception, from an exchange with the kernel, is of the kernel's making."""
    if isinstance(error, GraderFault | MemoryError):
        return False
    number = getattr(error, "errno", None)  # ZeroMQ's errors have one, and are no OSError
    if number is not None:
        return number in _OTHER_END
    return isinstance(error, (Spoilt, *_OF_MESSAGES))


@contextlib.contextmanager
def talking() -> Iterator[None]:
    """Tell whose doing it is if an exchange with the kernel, in the block, fails.

    Raises
    ------
    Spoilt
        The kernel's.
    Exception
        Of any other kind: the grader's.
    """
    try:
        yield
    except Exception as error:
        if not of_the_kernel(error):
            raise
        raise Spoilt(str(error) or type(error).__name__) from error


def told(error: Exception) -> str:
    """Say what happened in the grader, and where in its own code."""
    if isinstance(error, GraderFault):
        return str(error)
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    root = Path(hw_grading.__file__).parent
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if root in Path(f.filename).parents
    ]
    if not frames:
        return text
    return (
        f"{text} ({Path(frames[-1].filename).relative_to(root.parent)}, line {frames[-1].lineno})"
    )
