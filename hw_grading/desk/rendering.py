"""Makes HTML of markdown and of code, in a process of its own.

What students wrote can keep a parser busy for minutes. Only the main thread of a process can be
interrupted in it, and that of a server is needed for everybody else: so this module is also a
program, which reads one request a line and answers each with one line.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import hashlib
import json
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, TextIO

from hw_grading.desk.parts import Part, as_html
from hw_support.failures import visible

LONGEST_CODE = 50_000  # characters of one answer that are shown
_SECONDS = 2.0  # of computing, for code; markdown has its own limit
_HARD_SECONDS = 45.0  # then the process is ended
_GONE = "\0"  # a line of a docstring
_MOST_KEPT = 4_000_000  # characters of HTML


class Renderer:
    """Renders texts; an object may be used by several threads.

    The process is started when it is first needed, and again if it has ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # of the process, which does one thing after another
        self._process: subprocess.Popen[str] | None = None
        self._keeping = threading.Lock()
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._size = 0
        atexit.register(self.close)

    def markdown(self, text: str, attachments: Mapping[str, Any] | None = None) -> str:
        """Return markdown with TeX as clean HTML."""
        if not text and not attachments:
            return ""
        return self._ask({"markdown": text, "attachments": attachments or {}}, text)

    def code(self, text: str, *, docstrings: bool = True) -> str:
        """Return Python code as HTML, coloured by the classes of pygments, cut where it is long.

        Parameters
        ----------
        docstrings
            Whether functions are shown with theirs.
        """
        shown = {"code": text[: LONGEST_CODE + 1], "length": len(text), "docstrings": docstrings}
        return self._ask(shown, text)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

    def _ask(self, request: Mapping[str, Any], text: str) -> str:
        line = json.dumps(request)
        key = hashlib.sha256(line.encode("ascii")).hexdigest()
        if (kept := self._known(key)) is not None:
            return kept
        with self._lock:
            if (kept := self._known(key)) is not None:
                return kept
            try:
                answer = self._exchange(line)
            except (OSError, ValueError):  # it had to be ended
                self.close()
                return as_text(text, "Shown as text, because rendering it failed.")
            self._keep(key, answer)
            return answer

    def _known(self, key: str) -> str | None:
        with self._keeping:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: str, answer: str) -> None:
        with self._keeping:
            self._kept[key] = answer
            self._size += len(answer)
            while self._size > _MOST_KEPT:
                self._size -= len(self._kept.popitem(last=False)[1])

    def _exchange(self, line: str) -> str:
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "hw_grading.desk.rendering"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="ascii",
            )
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(_HARD_SECONDS, process.kill)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
        finally:
            timer.cancel()
        if not isinstance(answer, str):
            raise ValueError("it is no text")
        return answer


def as_text(text: str, note: str) -> str:
    """Return a text as it is, escaped, under a note that says why."""
    return as_html([Part("note", note), Part("text", cut(text, LONGEST_CODE))])


def cut(text: str, limit: int) -> str:
    """Return a text that a page can hold, at most so many characters of it."""
    more = len(text) - limit
    shown = visible(text[:limit])
    return shown if more <= 0 else f"{shown}\n… and {more:,} more characters"


def _serve(requests: TextIO, answers: TextIO) -> None:
    for line in requests:
        request = json.loads(line)
        if "markdown" in request:
            made = _markdown(request["markdown"], request["attachments"])
        else:
            code = request["code"]
            code = code if request["docstrings"] else without_docstrings(code)
            made = _code(code, request["length"])
        answers.write(json.dumps(made) + "\n")
        answers.flush()


def _markdown(text: str, attachments: Any) -> str:
    from hw_grading.desk.pictures import uri_of
    from hw_grading.pages.safe_html import render_markdown

    attached = attachments if isinstance(attachments, dict) else {}
    bundles = {name: bundle for name, bundle in attached.items() if isinstance(bundle, dict)}
    return render_markdown(text, bundles, picture=uri_of)


def _code(text: str, length: int) -> str:
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

    from hw_support.submission.problems import encodable
    from hw_support.time_limit import TimeLimitReached, time_limit

    shown = cut(encodable(text), LONGEST_CODE)
    if length > LONGEST_CODE:
        shown = f"{shown.rpartition(chr(10))[0]}\n# … and {length - LONGEST_CODE:,} more characters"
    try:
        with time_limit(_SECONDS, 10 * _SECONDS):
            return str(highlight(shown, PythonLexer(stripnl=False), HtmlFormatter()))
    except (Exception, TimeLimitReached):
        return as_text(shown, "Shown without colours, because it is too complicated.")


def without_docstrings(source: str) -> str:
    """Return code whose functions have no docstrings; what does not parse is left as it is."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    lines = source.split("\n")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            text = node.body[0]
            first, last = text.lineno - 1, (text.end_lineno or text.lineno) - 1
            before = lines[first].encode()[: text.col_offset]
            after = lines[last].encode()[text.end_col_offset :]
            if len(node.body) > 1 and not before.strip() and not after.strip():
                lines[first : last + 1] = [_GONE] * (last + 1 - first)
    return "\n".join(line for line in lines if line is not _GONE)


if __name__ == "__main__":
    _serve(sys.stdin, sys.stdout)
