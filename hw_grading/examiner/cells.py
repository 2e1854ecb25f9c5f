"""Runs the instructor's cells in the examiner: locked cells, test cells, and what they print."""

import ast
import contextlib
import functools
import io
import linecache
import numbers
import re
import traceback
from typing import Any

from hw_grading.examiner.notebook import Cell, StudentNames, names_read
from hw_support.checks import StaffError
from hw_support.checks.failures import visible
from hw_support.source import parsed

_KEPT_CHARACTERS = 200_000  # of what a cell prints
_KEPT_RESULT = 2_000


class Fault(RuntimeError):
    """A test cell cannot be run. This is the instructor's mistake, so no student gets a zero."""


def bound_by(first: list[Cell]) -> tuple[dict[str, Any], str]:
    """Return the names that the instructor's first cells bind, and the first fault.

    Equal cells run only once.
    """
    names, fault = _bound_by(tuple((name, source) for name, source in first))
    return dict(names), fault


@functools.lru_cache(16)  # of the notebooks of a homework
def _bound_by(first: tuple[Cell, ...]) -> tuple[dict[str, Any], str]:
    names: dict[str, Any] = {"__name__": "__main__"}
    faults = []
    for name, source in first:
        try:
            run_cell(source, name, names, locked=True)
        except Fault as fault:
            faults.append(str(fault))
    return names, next(iter(faults), "")


def run_cell(
    source: str, name: str, names: dict[str, Any], *, locked: bool = False
) -> list[dict[str, Any]]:
    """Run a cell and return its outputs, in nbformat's form; raise `Fault` if it is not Python.

    There is no IPython here: a test cell must have no magics. A `locked` cell may have them, and
    may read what students made; so it has a fault only if a module is missing. `name` appears in
    tracebacks.
    """
    return _run(source, name, names, locked)[0]


def run_test(
    source: str, name: str, names: dict[str, Any]
) -> tuple[list[dict[str, Any]], float | None]:
    """Run a test cell as `run_cell` does; return also the number that its last line gives."""
    return _run(source, name, names, False)


def _run(
    source: str, name: str, names: dict[str, Any], locked: bool
) -> tuple[list[dict[str, Any]], float | None]:
    try:
        body, last = _compiled(source, name, locked)
    except (SyntaxError, ValueError) as error:
        if locked:  # the kernel has run it, and knows whether it is Python
            return [_error(error, name)], None
        raise Fault(f"test cell {name!r} is not plain Python: {error}") from None
    faults = (ImportError,) if locked else (ImportError, StaffError)
    printed = io.StringIO()
    outputs: list[dict[str, Any]] = []
    score = None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            if isinstance(names, StudentNames):
                names.keep(names_read(source))
            exec(body, names)
            value = eval(last, names)
            if value is not None:
                score = float(value) if isinstance(value, numbers.Real) else None
                # As a number that people read. NumPy's own repr is "np.float64(3.0)".
                shown = repr(value if score is None else score)
                data = {"text/plain": visible(shown[:_KEPT_RESULT])}
                result = {"data": data, "metadata": {}, "execution_count": None}
                outputs.append({"output_type": "execute_result", **result})
        except faults as error:
            why = re.sub(r" \(/.*\)$", "", str(error))  # the file of a module of this machine
            kind = "locked cell" if locked else "test cell"
            raise Fault(f"{kind} {name!r}: {why}{_line_in(error, name)}") from error
        except BaseException as error:
            outputs.append(_error(error, name))
    if text := printed.getvalue()[:_KEPT_CHARACTERS]:
        outputs.insert(0, {"output_type": "stream", "name": "stdout", "text": visible(text)})
    return outputs, score


def _compiled(source: str, name: str, locked: bool) -> tuple[Any, Any]:
    """Return the code of a cell, and of its last line, an expression.

    SyntaxError or ValueError if it is not valid Python.
    """
    tree = parsed(source) if locked else ast.parse(source)
    last: ast.expr = ast.Constant(None, lineno=1, col_offset=0)
    if tree.body and isinstance(end := tree.body[-1], ast.Expr):
        last = end.value
        del tree.body[-1]
    file = f"<{name}>"
    # Messages show how the cell writes a function: see `hw_support.checks.written`.
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    return compile(tree, file, "exec"), compile(ast.Expression(last), file, "eval")


def _error(error: BaseException, name: str) -> dict[str, Any]:
    try:
        text = visible(str(error)[:_KEPT_RESULT])
    except BaseException:
        text = ""
    # Show only lines of the cell: other frames would reveal folders of this machine.
    lines = [f"{name}, line {line}" for line in _lines_in(error, name)]
    kind = type(error).__name__
    shown = {"ename": kind, "evalue": text, "traceback": [*lines, f"{kind}: {text}"]}
    return {"output_type": "error", **shown}


def _lines_in(error: BaseException, name: str) -> list[int]:
    """Return the numbers of the cell's lines through which an exception came."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.lineno or 0 for frame in frames if frame.filename == f"<{name}>"]


def _line_in(error: BaseException, name: str) -> str:
    lines = _lines_in(error, name)
    return f" (line {lines[-1]})" if lines else ""
