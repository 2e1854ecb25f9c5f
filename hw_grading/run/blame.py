"""Decides who has caused a failure: the submission, the homework or the grader.

The rule: only a failure that was *seen* to be caused by the submission leads to a score. There are
three such failures:

- the kernel has ended, while all of the grader's processes that it needs still run;
- a limit was reached (`hw_grading.sandbox.watch.Stop`, `hw_grading.run.clock.Clock`);
- the kernel's messages cannot be understood, or it does not answer (`BadExchange`).

`fault_in` says whether one of the instructor's cells must fail whatever the answers are. Every
other exception counts as the grader's fault: `hw_grading.batch.job.run` turns it into a
`NotGraded`. So exceptions are caught by type here, or in an `exchange` with the kernel.
"""

import ast
import contextlib
import errno
import functools
import traceback
from collections.abc import Container, Iterator
from importlib.util import find_spec
from pathlib import Path
from queue import Empty

from IPython.core.inputtransformer2 import TransformerManager

import hw_grading
from hw_grading.outcome import GraderFault

# Error numbers of a connection whose other end has ended, or is too slow.
_OTHER_END = {
    *(errno.EPIPE, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.ENOTCONN),
    *(errno.EAGAIN, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EMSGSIZE),
}
# Exceptions that several libraries raise at a malformed message, since they do not check messages.
_OF_MESSAGES = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError),
    *(AssertionError, EOFError, Empty, TimeoutError),
)


class BadExchange(Exception):
    """An exchange with the kernel failed because of the kernel's messages or its silence."""


def of_the_kernel(error: Exception) -> bool:
    """Return whether the kernel has caused an exception in an exchange with it."""
    if isinstance(error, GraderFault | MemoryError):
        return False
    number = getattr(error, "errno", None)  # ZeroMQ's errors have one, but are not OSErrors
    if number is not None:
        return number in _OTHER_END
    return isinstance(error, _OF_MESSAGES)


@contextlib.contextmanager
def exchange() -> Iterator[None]:
    """Raise `BadExchange` for a failure in the block that the kernel has caused."""
    try:
        yield
    except Exception as error:
        if not of_the_kernel(error):
            raise
        raise BadExchange(str(error) or type(error).__name__) from error


def described(error: Exception) -> str:
    """Describe an exception of the grader, and the line of the grader's code that raised it."""
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


def fault_in(source: str, error: str, own: Container[str]) -> str:
    """Return why an instructor's cell must end in an error, whatever the answers are; or "".

    `error` is the name of the error with which it has ended. The cell is no Python, or it always
    imports a module that is neither installed here nor one of the homework's `own`.
    """
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError) as mistake:
        return f"line {getattr(mistake, 'lineno', 1)}: it is not valid Python ({mistake.args[0]})"
    imports = (ast.Import, ast.ImportFrom)
    always = [node for node in tree.body if isinstance(node, imports)]  # others may be optional
    for node in always if error == "ModuleNotFoundError" else ():
        modules = [one.name for one in node.names]
        if isinstance(node, ast.ImportFrom):
            modules = [] if node.level else [node.module or ""]
        for name in (module.partition(".")[0] for module in modules):
            if name not in own and not _is_installed(name):
                return f"line {node.lineno}: there is no module {name!r}"
    return ""


@functools.cache
def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return True
