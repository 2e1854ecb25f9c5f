"""Starts the kernel in the sandbox: lays limits on it, then runs ipykernel and nothing else.

    python -m answering.start CONNECTION_FILE LINK_FD LIMITS

Limits are JSON, names of `resource` to numbers. They are hard, so that code which runs later cannot
lift them.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import socket
import sys
from typing import Any

FONTS = "/opt/fonts"  # matplotlib's lists of fonts, in a sandbox
_link: socket.socket | None = None


@functools.cache
def _server() -> Any:
    from IPython import get_ipython

    from .serve import Server

    assert _link is not None
    return Server(_link, get_ipython().user_ns)


def answer() -> None:
    """Answer the grader's questions: what the kernel runs while a test cell runs elsewhere."""
    _server().serve()


def copy_lists_of_fonts() -> None:
    """Put matplotlib's lists of fonts where it looks, which has to be one's own to write."""
    if os.path.isdir(FONTS):
        shutil.copytree(FONTS, os.environ["MPLCONFIGDIR"])


def start(connection_file: str, link: int, limits: dict[str, int]) -> None:
    """Lay limits on this process and those that it will start, and become a kernel."""
    global _link
    with contextlib.suppress(ImportError):  # there are none on Windows
        import resource

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
            "--HistoryManager.enabled=False",
            "--IPKernelApp.ignore_cwd=True",
            # Nobody has to wait after each cell: the grader waits for what a cell printed.
            "--IPythonKernel._execute_sleep=0",
            # A file of the student's in the working folder hides no module that is installed.
            "--IPKernelApp.exec_lines=__import__('sys').path.append('')",
        ]
    )


if __name__ == "__main__":
    # As a module of its own name too, so that the link is found there.
    from answering import start as this

    this.start(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
