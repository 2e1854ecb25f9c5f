"""Converts TeX to MathML with KaTeX, in a separate process.

That also keeps V8's event loop and threads out of servers, forks and the interpreter's exit.
"""

from pathlib import Path

from hw_grading.pages.helper import Ended, Helper, NoAnswer

SECONDS = 2.0  # elapsed, for one formula; an ordinary one takes a few milliseconds
_PATIENCE = 5.0  # more seconds, before a process that exceeds its own limit is killed


class Typesetter(Helper):
    """KaTeX for one Python process."""

    def __init__(self) -> None:
        program = Path(__file__).with_name("katex_process.py")
        super().__init__("-P", str(program), str(SECONDS), once=True)

    def set(self, tex: str, *, display: bool) -> str:
        """Return KaTeX's output for a formula; `NoAnswer` if it gives none."""
        try:
            answer = self.ask([tex, display], SECONDS + _PATIENCE)
        except Ended:  # it may have ended before the question
            answer = self.ask([tex, display], SECONDS + _PATIENCE)
        if not isinstance(answer, str):
            raise NoAnswer("KaTeX took too long, or too much memory")
        return answer
