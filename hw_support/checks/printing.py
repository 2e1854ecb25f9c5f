"""What a test cell prints: each failure at once, and what passed in one line at the end."""

import contextlib
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence

from hw_support.checks.parts import COUNTS_ONLY, SECOND_TRY, Part

PASSED, FAILED = "passed", "FAILED"
_THE_SAME = "for the same reason as a part above"
_COLOURS, _PLAIN = {PASSED: "\x1b[32m", FAILED: "\x1b[1;31m"}, "\x1b[0m"
_WIDTH = 88  # characters of a line


class Printer:
    """Prints the parts of one test cell. A message is printed once."""

    def __init__(self) -> None:
        self._later: dict[str, list[Part]] = {}  # parts that `end` prints, by their message

    def add(self, part: Part, unanswered: str) -> None:
        """Print a part, or note it for the end; `unanswered` is the message of all parts, or ""."""
        if part.second_try or part.excused:
            _say(PASSED, [part], SECOND_TRY if part.second_try else part.excused)
        elif part.message and part.message not in {*self._later, COUNTS_ONLY, unanswered}:
            _say(FAILED, [part], part.message)
            self._later[part.message] = []
        elif not unanswered:
            self._later.setdefault(part.message, []).append(part)

    def end(self, parts: Sequence[Part], unanswered: str) -> None:
        """Print what was noted of all these parts."""
        if unanswered:
            points = sum(part.points for part in parts)
            _say(FAILED, [Part(f"all {len(parts)} parts", points)], unanswered)
        for message, noted in sorted(self._later.items(), reverse=True):
            why = message if message == COUNTS_ONLY else message and _THE_SAME
            if noted:
                _say(FAILED if message else PASSED, noted, why)
        self._later = {}


def _say(outcome: str, parts: Sequence[Part], message: str = "") -> None:
    """Print parts with one outcome, and what is to be said of them, in lines of 88 characters."""
    named = ", ".join(f"{part.what} [{part.points:g} pt]" for part in parts)
    lines = [*_wrapped(f"{outcome:<8}{named}"), *_wrapped(f"{'':<8}{message}")]
    if _has_colours():
        lines[0] = lines[0].replace(outcome, f"{_COLOURS[outcome]}{outcome}{_PLAIN}", 1)
    print(*lines, sep="\n")


def _wrapped(text: str) -> list[str]:
    whole = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": " " * 8}
    return textwrap.wrap(text, _WIDTH, **whole)  # type: ignore[arg-type]


def _has_colours() -> bool:
    """Whether the output is for a person's eyes at once: in a terminal, or a notebook at work."""
    if os.environ.get("NBGRADER_EXECUTION") or os.environ.get("NO_COLOR"):
        return False
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel") or sys.stdout.isatty()


class Score(float):
    """Points that IPython does not show: they stand in the line above."""

    def _ipython_display_(self) -> None:
        pass


@contextlib.contextmanager
def output(*, dropped: bool) -> Iterator[None]:
    """Show what is written to stderr as ordinary output: nbgrader would score 0 for it."""
    with open(os.devnull, "w", encoding="utf-8") as nothing:
        stream = nothing if dropped else sys.stdout
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            yield
