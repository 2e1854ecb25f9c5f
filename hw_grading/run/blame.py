"""Decides who has caused a failure: the submission, the homework or the grader.

The rule: only a failure that was *seen* to be caused by the submission leads to a score. There are
three such failures:

- the kernel has ended, while all of the grader's processes that it needs still run;
- a limit was reached (`hw_grading.sandbox.watch.Stop`, `hw_grading.run.kernel.Clock`);
- the kernel's messages cannot be understood, or it does not answer (`BadExchange`).

`fault_in` says whether one of the instructor's cells must fail whatever the answers are. Every
other exception counts as the grader's fault: then the student is not graded. So exceptions are
caught by type here, or in an `exchange` with the kernel.
"""

import ast
import contextlib
import sys
import traceback
from collections.abc import Container, Iterator
from importlib.util import find_spec
from pathlib import Path
from queue import Empty

import zmq

import hw_grading
from hw_support.submission.file import UserError

# What libraries raise at a malformed message, since they do not check messages, and if nobody takes
# a message. The grader's own trouble (files, memory, threads) raises other exceptions.
_OF_MESSAGES = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, RecursionError),
    *(TypeError, ValueError, Empty, zmq.Again),
)
_PACKAGE = Path(hw_grading.__file__).parent


class BadExchange(Exception):
    """An exchange with the kernel failed because of the kernel's messages or its silence."""


@contextlib.contextmanager
def exchange() -> Iterator[None]:
    """Raise `BadExchange` for a failure in the block that the kernel has caused."""
    try:
        yield
    except _OF_MESSAGES as error:
        raise BadExchange(str(error) or type(error).__name__) from error


def error_words(error: Exception) -> str:
    """Describe an exception of the grader, and the line of the grader's code that raised it."""
    if isinstance(error, UserError):
        return str(error)
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if (file := Path(frame.filename)).is_relative_to(_PACKAGE):
            return f"{text} ({file.relative_to(_PACKAGE.parent)}, line {frame.lineno})"
    return text


def fault_in(source: str, error: str, own: Container[str]) -> str:
    """Return why an instructor's cell must end in an error, whatever the answers are; or "".

    `error` is the name of the error with which it has ended. The cell is not valid Python, or it
    always imports a module that is neither installed here nor one of the homework's `own`.
    """
    from IPython.core.inputtransformer2 import TransformerManager  # slow, and few runs need it

    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError) as mistake:
        line = getattr(mistake, "lineno", None) or 1
        return f"line {line}: it is not valid Python ({mistake.args[0]})"
    for node in tree.body if error == "ModuleNotFoundError" else ():  # others may be optional
        modules = []
        if isinstance(node, ast.Import):
            modules = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module or ""]
        for name in (module.partition(".")[0] for module in modules):
            if name not in own and name not in sys.modules and find_spec(name) is None:
                return f"line {node.lineno}: there is no module {name!r}"
    return ""
