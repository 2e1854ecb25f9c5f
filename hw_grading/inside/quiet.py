"""A kernel that sends only the messages that the grader reads, and flushes only what was printed.

Each message costs time in the kernel, in its thread for messages, and in the grader.
"""

from __future__ import annotations

from typing import Any

from ipykernel.iostream import OutStream
from ipykernel.ipkernel import IPythonKernel


class QuietKernel(IPythonKernel):
    """Does not repeat the code that it runs, and does not say that it is busy."""

    def _publish_execute_input(self, *_: Any) -> None:
        pass

    def _publish_status(self, status: str, *given: Any, **named: Any) -> None:
        if status != "busy":
            super()._publish_status(status, *given, **named)


class QuietStream(OutStream):
    """Flushes only if something was written since the last time.

    A flush waits for another thread, and ipykernel flushes both streams twice in each cell.
    """

    _is_written = False

    def write(self, string: str) -> int | None:  # type: ignore[override]  # as in ipykernel
        """Write a string, and return how many characters were written."""
        written = super().write(string)
        self._is_written = True  # not earlier: another thread may flush meanwhile
        return written

    def flush(self) -> None:
        """Send what was written."""
        if self._is_written:
            self._is_written = False
            super().flush()
