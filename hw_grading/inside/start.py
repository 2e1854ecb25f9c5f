"""Starts the kernel in the sandbox: sets its resource limits, then runs ipykernel."""

import functools
import os
import resource
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
    """Answer the grader's questions. The kernel runs this while the examiner runs a test cell."""
    _server().serve()


def refuse_interrupted() -> None:
    """Let the function that the last interrupt has ended raise at once."""
    error = getattr(sys, "last_value", None)
    if isinstance(error, KeyboardInterrupt):
        _server().refuse(error)


def copy_lists_of_fonts() -> None:
    """Copy matplotlib's lists of fonts to its cache folder, which has to be writable."""
    if os.path.isdir(FONTS):
        shutil.copytree(FONTS, os.environ["MPLCONFIGDIR"])


def start(connection_file: str, link: int, limits: dict[str, int]) -> None:
    """Set the limits of this process and its later children, and become a kernel.

    `limits` maps names of `resource` to hard limits: student code cannot raise them.
    """
    global _link
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
            "--IPKernelApp.kernel_class=answering.quiet.QuietKernel",
            "--IPKernelApp.outstream_class=answering.quiet.QuietStream",
            "--HistoryManager.enabled=False",
            "--IPKernelApp.ignore_cwd=True",
            # Do not sleep after each cell: the grader itself waits for the cell's outputs.
            "--IPythonKernel._execute_sleep=0",
            # Put the working folder last: then a student's file hides no installed module.
            "--IPKernelApp.exec_lines=__import__('sys').path.append('')",
        ]
    )
