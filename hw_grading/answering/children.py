"""Children of a kernel: each answers the questions of one try of a test cell, and ends with it.

A test leaves no trace: the kernel forks a child, waits, and goes on as if nothing had happened. The
grader sends two messages for a test over the link, and each of them gets one byte back:

1. with a socket: fork a child that answers the questions from there, if any can be forked.
2. names, when the try is over: kill the child, also if it did not return. Functions of these names
   did not return. They raise at once from now on. With a socket: fork another child, which the
   kernel leaves alone. Its questions come when the notebook has ended, so right functions can take
   the place of the notebook's own there.

A child can write no file, and has no socket but its own: `isolation.shut_in`. Student code that
changes its kernel before a test may evade that. It then keeps the inputs of a first try, which it
gets anyway. No right function and no right value is there before the notebook has ended.
"""

import contextlib
import functools
import gc
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from . import isolation, serve

DONE, FAILED = b"+", b"-"
MOST_BYTES = 1 << 15  # of a message, which comes in one piece: there is one at a time


def answer(link: socket.socket, names: dict[str, Any], seccomp: bytes) -> None:
    """Answer the questions of one test. An interrupt ends only its child."""
    child = 0

    def kill(*_: object) -> None:
        if child:
            os.kill(child, signal.SIGKILL)

    def fork(descriptors: Sequence[int], is_left_alone: bool) -> int:
        pid, done = 0, DONE
        for descriptor in descriptors:
            with socket.socket(fileno=descriptor) as stream:
                try:
                    program = functools.partial(_answer, stream, names, seccomp)
                    pid = _fork(program, is_left_alone)
                except OSError:  # as many processes as it may have, or no memory
                    done = FAILED
        link.send(done)
        return pid

    before = signal.signal(signal.SIGINT, kill)
    try:
        child = fork(socket.recv_fds(link, MOST_BYTES, 1)[1], False)
        unreturned, descriptors, _, _ = socket.recv_fds(link, MOST_BYTES, 1)
    finally:
        kill()
        with contextlib.suppress(ChildProcessError):  # a thread of the student's waited for it
            if child:
                os.waitpid(child, 0)
        signal.signal(signal.SIGINT, before)
    serve.refuse(names, unreturned.decode().split())
    fork(descriptors, True)


def _fork(program: Callable[[], None], is_left_alone: bool) -> int:
    """Run a program in a child; return its pid. One that is left alone is no child of the kernel's.

    So code that waits for any child does not wait for it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer Pythons warn of threads: the child has none
        pid = os.fork()
    if pid:
        if is_left_alone and os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            raise ChildProcessError
        return pid
    with contextlib.suppress(BaseException):
        if not is_left_alone or os.fork() == 0:
            program()
        os._exit(0)
    os._exit(1)


def _answer(stream: socket.socket, names: dict[str, Any], seccomp: bytes) -> None:
    gc.freeze()  # otherwise a collection would copy all pages
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    isolation.shut_in(stream.fileno(), seccomp)
    with contextlib.suppress(Exception):  # what is displayed would wait for a thread of the kernel
        from IPython import get_ipython

        get_ipython().kernel.iopub_socket.io_thread.socket = None
    sys.stdout = sys.stderr = serve.Nothing()
    serve.Server(stream, names).serve()
