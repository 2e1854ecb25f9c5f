"""A kernel as VS Code and Colab use it: their calls are those of their public sources.

- microsoft/vscode-jupyter, src/kernels/kernel.ts: a line that is run when the kernel has started.
- googlecolab/colabtools, google/colab/_message.py: the kernel publishes a ``colab_request``, and
  reads the page's ``colab_reply`` where it reads input.
"""

import copy
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager
from nbformat import NotebookNode

COLAB = {
    "__init__.py": "from google.colab import _message",
    "files.py": "def download(path):\n    print('The browser downloads', path)",
    "_message.py": """
import time, uuid
from ipykernel.kernelapp import IPKernelApp
import zmq

class MessageError(Exception):
    pass

def blocking_request(request_type, request="", timeout_sec=5):
    app, number, end = IPKernelApp.instance(), str(uuid.uuid4()), time.time() + timeout_sec
    message = app.session.msg(
        "colab_request",
        content={"request": request},
        metadata={"colab_msg_id": number, "colab_request_type": request_type},
    )
    app.session.send(app.iopub_socket, message)
    while time.time() < end:
        _, reply = app.session.recv(app.kernel.stdin_socket, zmq.NOBLOCK)
        value = reply["content"]["value"] if reply else None
        if not isinstance(value, dict) or value.get("colab_msg_id") != number:
            time.sleep(0.025)
            continue
        if "error" in value:
            raise MessageError(value["error"])
        return value.get("data")
""",
}


def vs_code(notebook: Path) -> str:
    """Return what VS Code runs first."""
    path = str(notebook).replace("\\", "\\\\")
    magic = "get_ipython().run_line_magic('config', 'Completer.use_jedi = False')"
    return f'__vsc_ipynb_file__ = "{path}"\n{magic}'


def as_colab_has_it(notebook: NotebookNode, title: str) -> dict[str, Any]:
    """Return a notebook in Colab's form: lists of lines, and ids among the metadata."""
    cells = copy.deepcopy(notebook.cells)
    for cell in cells:
        cell.metadata["id"] = cell.pop("id")
        cell.source = cell.source.splitlines(keepends=True)
    metadata = {"colab": {"name": title, "provenance": []}}
    return {"nbformat": 4, "nbformat_minor": 0, "metadata": metadata, "cells": cells}


def install_colab(folder: Path) -> None:
    """Write Colab's library into a folder of the import path."""
    place = folder / "google" / "colab"
    place.mkdir(parents=True)
    for name, text in COLAB.items():
        (place / name).write_text(text, encoding="utf-8")


@contextmanager
def kernel(folder: Path, first: str, **environment: str) -> Any:
    """Yield a function that runs a cell in a kernel, and returns what it printed.

    `first` is run before, silently. The function's `page` is what Colab's page replies; None if it
    is silent.
    """
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder), env={**os.environ, **environment})
    client = manager.client()
    client.start_channels()

    def run(source: str, page: dict[str, Any] | None = None, silent: bool = False) -> str:
        sent, said = client.execute(source, silent=silent), ""
        while True:
            message = client.get_iopub_msg(timeout=120)
            content = message["content"]
            if message["msg_type"] == "colab_request" and page is not None:
                assert message["metadata"]["colab_request_type"] == "get_ipynb"
                number = message["metadata"]["colab_msg_id"]
                client.input({"type": "colab_reply", "colab_msg_id": number, **page})
            if message["parent_header"].get("msg_id") != sent:
                continue
            if message["msg_type"] == "stream":
                said += content["text"]
            if message["msg_type"] == "error":
                said += "\n".join(content["traceback"])
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                return said

    try:
        client.wait_for_ready(timeout=60)
        assert run(first, silent=True) == ""
        yield run
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
