"""Runs a command of nbgrader in a process of its own, which ends with the one that started it."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_SIGNALS = {signal.SIGINT, signal.SIGTERM}


def run(words: Sequence[str], folder: Path, log: Path | None) -> int:
    """Run ``nbgrader`` with these words in a folder, and return its exit status.

    Its output is appended to the file `log`, or goes to the terminal. A process without threads,
    which writes to its own streams, is forked: that saves the import of nbgrader. Another one
    starts a new Python.
    """
    with log.open("ab") if log else nullcontext() as stream:
        if threading.active_count() > 1 or sys.stdout is not sys.__stdout__:
            command = [sys.executable, "-m", __name__, str(os.getpid()), *words]
            return subprocess.call(command, cwd=folder, stdout=stream, stderr=stream)
        # Python drops a Ctrl-C that comes amid what it runs after a fork: it waits until then.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        child = get_context("fork").Process(
            target=_in_fork, args=(words, folder, stream, os.getpid(), before)
        )
        try:
            child.start()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            child.join()
        except BaseException:  # after Ctrl-C, or when this process is to end
            child.terminate()
            child.join()
            raise
        return child.exitcode or 0


def _in_fork(
    words: Sequence[str],
    folder: Path,
    stream: IO[bytes] | None,
    parent: int,
    mask: set[signal.Signals],
) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    os.chdir(folder)
    if stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    sys.path[0] = ""
    _run_here(words, parent)


def _run_here(words: Sequence[str], parent: int) -> None:
    """Run nbgrader in this process, the child of `parent`."""
    with suppress(OSError, AttributeError):  # only Linux has it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
    # nbgrader starts alembic by its name, so the PATH must have the environment's programs.
    os.environ["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    )
    sys.argv = ["nbgrader", *words]
    from nbgrader.apps.nbgraderapp import main

    try:
        main()
    except KeyboardInterrupt:  # the command that started it says so
        sys.exit(1)
    except Exception:
        traceback.print_exc()
        sys.exit(1)


if __name__ == "__main__":
    _run_here(sys.argv[2:], int(sys.argv[1]))
