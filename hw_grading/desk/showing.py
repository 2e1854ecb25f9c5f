"""Shows answers and texts as clean HTML, made in processes of their own.

A student's text can keep a parser busy. A parser can only be interrupted in the main thread of a
process, and the server's main thread serves everybody else.
"""

import ast
import faulthandler
import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import lru_cache, partial
from typing import Any

from hw_grading.gradebook.graded_notebook import outputs_of
from hw_grading.rendering.answers import (
    answer_html,
    code_html,
    outputs_html,
    printed_html,
    text_html,
)
from hw_grading.rendering.cleaning import as_text
from hw_grading.rendering.pictures import pictures_of
from hw_support.submission.cells import text_of

LINES_OF_NUMBERS = 15
_SECONDS = 45.0  # elapsed, after which the process ends; each text has its own limit of CPU time
_PROCESSES = 2  # the second is started when the first is busy
_MOST_KEPT = 200  # questions, mark schemes and comments
_MOST_NUMBERS = 20_000  # characters at the end of a printed text


class Renderer:
    """Renders texts and answers. Several threads may use one object."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._kept = lru_cache(_MOST_KEPT)(partial(self._ask, text_html))

    def markdown(self, text: str) -> str:
        """Return markdown with TeX as HTML."""
        return _or_text(lambda: self._kept(text), text) if text else ""

    def answer(self, cell: Mapping[str, Any]) -> str:
        """Return an answer, a cell of a graded notebook with unchecked content."""
        return _or_text(lambda: self._ask(answer_html, cell), text_of(cell.get("source")))

    def beside(self, cell: Mapping[str, Any]) -> str:
        """Return the pictures, code without docstrings, or text of a cell beside an answer."""
        return _or_text(lambda: self._ask(_beside, cell), text_of(cell.get("source")))

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, make: Callable[..., str], given: Any) -> str:
        with self._lock:
            if self._pool is None:
                spawn = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(_PROCESSES, spawn, _end_with_the_server)
            pool = self._pool
        try:
            return pool.submit(_in_time, make, given).result()
        except BrokenExecutor:
            with self._lock:
                if self._pool is pool:
                    self._pool = None
            raise


def _or_text(ask: Callable[[], str], source: str) -> str:
    try:
        return ask()
    except Exception:  # the process took too long, was killed, or failed
        return as_text(source, "Shown as text, because it cannot be rendered.")


def numbers_html(cell: Mapping[str, Any]) -> str:
    """Return the last printed lines of a cell, such as the numbers of a training; "" if none."""
    printed, results = "", []
    for output in outputs_of(cell):
        if output.get("output_type") == "stream" and output.get("name") != "stderr":
            printed += text_of(output.get("text"))
        elif output.get("output_type") == "execute_result":
            data = output.get("data")
            results.append(text_of(data.get("text/plain")) if isinstance(data, dict) else "")
    text = "\n".join(filter(None, [printed.rstrip(), *results]))[-_MOST_NUMBERS:]
    lines = text.rstrip().split("\n")[-LINES_OF_NUMBERS:]
    return str(printed_html("\n".join(line[:500] for line in lines)))


def without_docstrings(source: str) -> str:
    """Return code without its functions' docstrings. Code that does not parse stays as it is."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    lines: list[str | None] = []
    lines += source.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # as Python counts them
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            text = node.body[0]
            first, last = text.lineno - 1, text.end_lineno or text.lineno
            before = (lines[first] or "").encode()[: text.col_offset]
            after = (lines[last - 1] or "").encode()[text.end_col_offset :]
            if len(node.body) > 1 and not before.strip() and not after.strip():
                lines[first:last] = [None] * (last - first)
    return "\n".join(line for line in lines if line is not None)


def _beside(cell: Mapping[str, Any]) -> str:
    source = text_of(cell.get("source"))
    if cell.get("cell_type") != "code":
        return text_html(source)
    if pictures_of(cell):
        return outputs_html(cell)
    return code_html(without_docstrings(source)) if source.strip() else ""


def _in_time(make: Callable[..., str], given: Any) -> str:
    """Run in the process: return what `make` makes, or end the process."""
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(_SECONDS, exit=True, file=nowhere)
        try:
            return str(make(given))
        finally:
            faulthandler.cancel_dump_traceback_later()


def _end_with_the_server() -> None:
    """End this process if the server is killed."""
    server = multiprocessing.parent_process()
    assert server is not None

    def wait() -> None:
        server.join()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
