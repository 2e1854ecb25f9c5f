"""Starts kernels for student code, and ends them and what they started.

A kernel runs on this machine with the grader's rights. It is kept from hogging all cores and from
being broken by the files beside the notebook; it is not kept from anything else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
from typing import Any

import zmq
from jupyter_client.manager import AsyncKernelManager, start_new_kernel

BLAS_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)

# The kernel starts without its folder on the path: a student's `random.py` there would break it.
# Afterwards the folder goes to the end of the path, so that files beside the notebook can be
# imported but hide no module that is installed.
_AFTER_START = (
    "__import__('sys').path.append('');__import__('os').environ.pop('PYTHONSAFEPATH', None)"
)
IPYKERNEL_ARGUMENTS = (
    "--IPKernelApp.log_level=40",  # errors
    "--IPKernelApp.ignore_cwd=True",
    f"--IPKernelApp.exec_lines={_AFTER_START}",
)


class GraderFault(RuntimeError):
    """Grading failed for a reason that is not in the submission."""


class CappedKernelManager(AsyncKernelManager):
    """A local kernel whose clients refuse large messages.

    An endless loop of prints makes messages of hundreds of megabytes. Beyond the cap, ZeroMQ closes
    the connection before it takes in the message, and opens it again.
    """

    max_message_bytes = 20_000_000

    def client(self, **kwargs: Any) -> Any:
        """Return a client with the cap on each of its channels."""
        client = super().client(**kwargs)
        client.context.setsockopt(zmq.MAXMSGSIZE, self.max_message_bytes)
        return client


def kernel_environment(blas_threads: int, ipython_folder: str) -> dict[str, str]:
    """Return this process's environment, for the kernel of one submission.

    Parameters
    ----------
    blas_threads
        Threads of BLAS and OpenMP; 0 leaves them alone.
    ipython_folder
        An empty folder for what IPython keeps, such as ``%store``: in the usual one a student
        would find what the student before has stored.
    """
    environment = {**os.environ, "IPYTHONDIR": ipython_folder}
    if blas_threads:
        # Oversubscribed cores would make right answers slow enough to hit a time limit.
        environment |= dict.fromkeys(BLAS_VARIABLES, str(blas_threads))
    environment["PYTHONSAFEPATH"] = "1"
    return environment


def check_that_kernels_start(name: str, seconds: float) -> None:
    """Raise `GraderFault` if a kernel does not start in an empty folder within some seconds."""
    with tempfile.TemporaryDirectory() as empty:
        try:
            manager, client = start_new_kernel(
                startup_timeout=seconds, kernel_name=name or "python3", cwd=empty
            )
        except Exception as error:
            raise GraderFault(f"No kernel {name!r} can be started on this machine") from error
        client.stop_channels()
        manager.shutdown_kernel(now=True)


class KernelProcesses:
    """A running kernel and its children as a group of processes, to be signalled at any time.

    nbclient's own ways need its event loop, which a flood of messages can keep busy for ever.

    Parameters
    ----------
    provisioner
        jupyter_client's handle of the kernel; one that is not local is left to its manager.
    """

    def __init__(self, provisioner: Any) -> None:
        self._group = getattr(provisioner, "pgid", None)
        self._process = getattr(provisioner, "process", None)
        self.killed_late = False

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the kernel."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End the kernel, and children that did not leave its group."""
        self._signal(signal.SIGKILL)

    def kill_after(self, seconds: float) -> threading.Timer:
        """Start a thread that kills and sets `killed_late`, unless it is cancelled before."""
        timer = threading.Timer(seconds, self._kill_late)
        timer.daemon = True
        timer.start()
        return timer

    def _kill_late(self) -> None:
        self.killed_late = True
        self.kill()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):  # it is gone
            if self._group and self._group != os.getpgid(0):
                os.killpg(self._group, number)
            elif self._process is not None:
                self._process.send_signal(number)
