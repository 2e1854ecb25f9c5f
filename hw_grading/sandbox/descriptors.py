"""Sends descriptors to another process of the grader."""

import contextlib
import resource
import socket
from collections.abc import Sequence

# More than 64 processes of a submission can send at the same moment, 253 each. A far higher limit
# would slow down programs that close all descriptors one by one.
_MOST = 16_384


def send(stream: socket.socket, message: bytes, descriptors: Sequence[int]) -> None:
    """Send a message with descriptors.

    The system counts the descriptors in messages that were not received yet, for all processes of a
    user together, and refuses further ones above the sender's own limit of open files. Where an
    ordinary user grades, student code could reach the usual limit, so it is raised.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if resource.RLIM_INFINITY != soft < most:
        with contextlib.suppress(OSError, ValueError):  # the system has a limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    socket.send_fds(stream, [message], descriptors)
