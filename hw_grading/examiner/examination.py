"""Runs one of the instructor's test cells, and makes the outputs from which nbgrader scores it."""

import ast
import contextlib
import functools
import importlib
import io
import numbers
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from hw_support.checks import StaffError
from hw_support.failures import visible

_KEPT_CHARACTERS = 200_000  # of what a cell prints
_KEPT_RESULT = 2_000
_CELLS_REMEMBERED = 500


class Fault(RuntimeError):
    """A test cell cannot be run. This is the instructor's mistake, so no student gets a zero."""


class _Kept(io.StringIO):
    """A stream that keeps the beginning of what is written to it."""

    def write(self, text: str) -> int:
        if self.tell() < _KEPT_CHARACTERS:
            super().write(text[:_KEPT_CHARACTERS])
        return len(text)


def run_cell(source: str, name: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a cell and return its outputs, in nbformat's form; raise `Fault` if it is not Python.

    There is no IPython here, so magics do not work. `name` appears in tracebacks.
    """
    body, last = _compiled(source, name)
    printed = _Kept()
    outputs: list[dict[str, Any]] = []
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            exec(body, names)
            value = eval(last, names) if last is not None else None
        except StaffError as error:
            raise Fault(f"test cell {name!r}: {error}") from error
        except BaseException as error:
            outputs.append(_error(error, name))
        else:
            if value is not None:
                outputs.append(_result(value))
    if text := printed.getvalue():
        outputs.insert(0, {"output_type": "stream", "name": "stdout", "text": visible(text)})
    return outputs


def prepare(source: str, name: str) -> None:
    """Compile a cell and check its imports before forking; raise errors only when it is run."""
    with contextlib.suppress(Fault):
        expect_imports(source, name)
        _compiled(source, name)


@functools.lru_cache(_CELLS_REMEMBERED)
def expect_imports(source: str, name: str) -> None:
    """Raise `Fault` if an import of a test cell does not work, or if the cell is not Python.

    Otherwise the part would fail because of the instructor's mistake, and the student would get a
    zero. Imports inside a `try` statement are not checked.
    """
    with _expecting_python(name):
        left: list[ast.AST] = [ast.parse(source)]
    while left:
        node = left.pop()
        if isinstance(node, ast.Try):
            continue
        left += ast.iter_child_nodes(node)
        wanted = []
        if isinstance(node, ast.Import):
            wanted = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            wanted = [(node.module, alias.name) for alias in node.names]
        for module, attribute in wanted:
            if why := _why_not(module, attribute):
                what = f"{attribute} from {module}" if attribute else module
                line = getattr(node, "lineno", 0)
                raise Fault(f"test cell {name!r}, line {line}, cannot import {what}: {why}")


def _why_not(module: str, attribute: str) -> str:
    """Return why an import fails, or "". An empty attribute means the module itself."""
    try:
        found = importlib.import_module(module)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if attribute in ("", "*") or hasattr(found, attribute):
        return ""
    inner = f"{module}.{attribute}"
    try:
        importlib.import_module(inner)
    except Exception as error:
        if not isinstance(error, ModuleNotFoundError) or error.name != inner:
            return f"{type(error).__name__}: {error}"
        return f"{attribute} is not in {_file_of(found)}"
    return ""


def _file_of(module: ModuleType) -> str:
    """Return a module's path from its top-level package on, such as ``staff/hw/fresh.py``."""
    if not getattr(module, "__file__", None):
        return module.__name__
    file = Path(str(module.__file__))
    count = module.__name__.count(".") + (2 if file.stem == "__init__" else 1)
    return "/".join(file.parts[-count:])


@contextlib.contextmanager
def _expecting_python(name: str) -> Iterator[None]:
    try:
        yield
    except (SyntaxError, ValueError) as error:
        raise Fault(f"test cell {name!r} is not plain Python: {error}") from None


@functools.lru_cache(_CELLS_REMEMBERED)
def _compiled(source: str, name: str) -> tuple[Any, Any]:
    last = None  # a last line that is an expression
    with _expecting_python(name):
        tree = ast.parse(source)
        if tree.body and isinstance(end := tree.body[-1], ast.Expr):
            del tree.body[-1]
            last = compile(ast.Expression(end.value), f"<{name}>", "eval")
        return compile(tree, f"<{name}>", "exec"), last


def _result(value: Any) -> dict[str, Any]:
    # nbgrader parses the text as a number. The repr of a NumPy number is "np.float64(3.0)".
    text = repr(float(value)) if isinstance(value, numbers.Real) else repr(value)[:_KEPT_RESULT]
    data = {"text/plain": visible(text)}
    return {"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data}


def _error(error: BaseException, name: str) -> dict[str, Any]:
    try:
        text = visible(str(error)[:_KEPT_RESULT])
    except BaseException:
        text = ""
    # Show only lines of the cell: other frames would reveal folders of this machine.
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{name}, line {frame.lineno}" for frame in frames if frame.filename == f"<{name}>"]
    return {
        "output_type": "error",
        "ename": type(error).__name__,
        "evalue": text,
        "traceback": [*lines, f"{type(error).__name__}: {text}"],
    }
