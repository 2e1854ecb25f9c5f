"""Starts the kernel in the sandbox: sets its resource limits, then runs ipykernel."""

import os
import resource
import select
import shutil
import socket
import sys
import threading
from contextlib import suppress
from typing import Any

from ipykernel.iostream import OutStream

from . import isolation
from .asserts import Told

FONTS = "/opt/fonts"  # matplotlib's lists of fonts, in a sandbox
_link: socket.socket | None = None
_filter_of_tests = b""


def answer() -> None:
    """Answer the grader in children. The kernel runs this while the examiner runs a test cell."""
    from IPython import get_ipython

    from . import children

    assert _link is not None
    children.answer(_link, get_ipython().user_ns, _filter_of_tests)


def refuse_interrupted() -> None:
    """Let the function that the last interrupt has ended raise at once."""
    from IPython import get_ipython

    from . import serve

    error, names = getattr(sys, "last_value", None), get_ipython().user_ns
    if isinstance(error, KeyboardInterrupt):
        serve.refuse(names, [serve.interrupted(error, names)])


def begin(arrays: list[str], seccomp: str) -> None:
    """Note the facts of all figures from now on, and let failed asserts say what they compared.

    `arrays` are the names of those that figures may show. `seccomp` is a further filter of system
    calls, hexadecimal, or "".
    """
    if seccomp:
        isolation.install(bytes.fromhex(seccomp))
    from IPython import get_ipython

    from hw_support.figures import hook

    hook.install(get_ipython(), arrays)
    get_ipython().ast_transformers.append(Told())


def copy_lists_of_fonts() -> None:
    """Copy matplotlib's lists of fonts to its cache folder, which has to be writable."""
    if os.path.isdir(FONTS):
        shutil.copytree(FONTS, os.environ["MPLCONFIGDIR"])


def start(connection_file: str, link: int, limits: dict[str, int], filter_of_tests: bytes) -> None:
    """Set the limits of this process and its later children, and become a kernel.

    `limits` maps names of `resource` to hard limits: student code cannot raise them.
    """
    global _link, _filter_of_tests
    _filter_of_tests = filter_of_tests
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, name), (most, most))
    copy_lists_of_fonts()
    os.set_inheritable(link, False)
    _link = socket.socket(fileno=link)

    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance(
        argv=[
            "-f",
            connection_file,
            "--IPKernelApp.log_level=50",
            "--IPKernelApp.outstream_class=answering.start.Stream",
            "--HistoryManager.enabled=False",
            "--IPKernelApp.ignore_cwd=True",
            # The working folder comes behind Python's own modules and before installed ones.
            f"--IPKernelApp.exec_lines={_LOOK_HERE}",
            # Do not sleep after each cell: the grader itself waits for the cell's outputs.
            "--IPythonKernel._execute_sleep=0",
        ]
    )


_LOOK_HERE = (
    "(lambda path: path.insert(next((n for n, one in enumerate(path) "
    "if one.endswith('-packages')), len(path)), ''))(__import__('sys').path)"
)


class Stream(OutStream):
    """An output of a kernel: a flush sends all that was written, and does nothing otherwise.

    A flush waits for another thread, and ipykernel flushes both streams twice in each cell. What C
    code or a child process has written waits in a pipe that ipykernel reads in a thread only, so it
    may come after the cell's end. Here a flush reads it too.
    """

    _fid: int
    _is_written = False

    def __init__(self, *given: Any, **named: Any) -> None:
        self._reading = threading.RLock()  # a signal handler may flush
        super().__init__(*given, **named)

    def write(self, string: str) -> int | None:  # type: ignore[override]  # as in ipykernel
        """Write a string, and return how many characters were written."""
        written = super().write(string)
        self._is_written = True  # not earlier: another thread may flush meanwhile
        return written

    def flush(self) -> None:
        """Send what was written."""
        # A forked child may have inherited the lock while it was held.
        if self._should_watch and self._is_master_process():
            with suppress(OSError, ValueError):  # the student's code closed the pipe
                self._read_pipe()
        if self._is_written:
            self._is_written = False
            super().flush()

    def _watch_pipe_fd(self) -> None:
        with suppress(OSError, ValueError):  # as in `flush`
            while self._should_watch:
                select.select([self._fid], [], [])
                self._read_pipe()

    def _read_pipe(self) -> None:
        """Write what waits in the pipe that the file descriptor leads to."""
        with self._reading:
            if select.select([self._fid], [], [], 0)[0]:
                text = os.read(self._fid, 65_536)  # all that a pipe holds
                if self._should_watch:
                    self.write(text.decode(errors="replace"))
