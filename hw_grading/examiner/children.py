"""The children of a student's kernel, in which test cells ask their questions.

See `hw_grading.answering.children` for the messages. The kernel is not trusted: what matters is
that an examiner asks a child with right functions only after the notebook has ended.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from hw_grading.answering.children import DONE, FAILED, MOST_BYTES

_MOST_NAMES = MOST_BYTES // 500


class Children:
    """What a kernel forks, over the link to it. `kill` ends a kernel that breaks the protocol."""

    def __init__(self, link: socket.socket, kill: Callable[[], None]) -> None:
        self._link, self._kill = link, kill
        # Why the kernel cannot be asked any more; None while it can.
        self.link_error: str | None = None
        self.kernel_ended = False  # whether the reason is that its process has ended

    def begin(self) -> socket.socket | None:
        """Begin a try; return the socket to a new child for it, or None if none can be had."""
        return self._say([], is_wanted=True)

    def end(self, unreturned: Sequence[str], *, again: bool) -> socket.socket | None:
        """End a try, and its child; these functions of the notebook did not return.

        If there is a second try `again`, return the socket to a child that sleeps until it begins.
        """
        return self._say(unreturned, is_wanted=again)

    def _say(self, names: Sequence[str], *, is_wanted: bool) -> socket.socket | None:
        """Send names; return the socket to a new child if one is wanted, and can be had."""
        if self.link_error:
            return None
        text = " ".join(names[:_MOST_NAMES]) or " "
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                passed = [theirs.fileno()] if is_wanted else []
                socket.send_fds(self._link, [text.encode()], passed)
                answer = self._link.recv(1)
            except OSError:
                answer = b""
        if answer not in (DONE, FAILED):
            self.kernel_ended = not answer
            self.link_error = (
                "its process has ended" if self.kernel_ended else "it broke the protocol"
            )
            self._kill()
        if is_wanted and answer == DONE:
            return ours
        ours.close()
        return None
