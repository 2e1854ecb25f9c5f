"""The children of a student's kernel, in which test cells ask their questions.

See `hw_grading.answering.children` for the commands. The kernel is not trusted: what matters is
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
        self.gone: str | None = None  # why the kernel cannot be asked any more; None while it can
        self.ended = False  # whether the reason is that its process has ended

    def fork(self, command: str, unreturned: Sequence[str] = ()) -> socket.socket | None:
        """Return the socket to a new child; None if none can be had. Command: "try" or "sleep".

        Functions of the notebook that did not return raise there at once.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            if self._carry_out(command, unreturned, [theirs.fileno()]):
                return ours
        ours.close()
        return None

    def end(self, unreturned: Sequence[str]) -> None:
        """End a try, and its child; these functions of the notebook did not return."""
        self._carry_out("end", unreturned, [])

    def _carry_out(self, word: str, names: Sequence[str], descriptors: Sequence[int]) -> bool:
        if self.gone:
            return False
        command = " ".join([word, *names[:_MOST_NAMES]])
        try:
            socket.send_fds(self._link, [command.encode()], descriptors)
            answer = self._link.recv(1)
        except OSError:
            answer = b""
        if answer not in (DONE, FAILED):
            self.ended = not answer
            self.gone = "its process has ended" if self.ended else "it broke the protocol"
            self._kill()
        return answer == DONE
