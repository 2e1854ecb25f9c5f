"""Kernels in sandboxes that belong to no submission."""

import json
import time
from pathlib import Path

from hw_grading.answering import isolation
from hw_grading.sandbox.kernel_process import Given, KernelProcess

_PORTS = ("shell", "iopub", "stdin", "control", "hb")
CONNECTION = Given(
    json.dumps(
        {
            **{f"{name}_port": number for number, name in enumerate(_PORTS, 1)},
            "transport": "ipc",
            "ip": f"{isolation.RUN}/socket",
            "key": "k",
            "kernel_name": "",
            "signature_scheme": "hmac-sha256",
        }
    ).encode()
)


def wait_for_socket(kernel: KernelProcess, folder: str, number: int) -> None:
    """Wait until a kernel has made one of its sockets."""
    until = time.monotonic() + 60
    while not (Path(folder) / f"socket-{number}").exists():
        assert kernel.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
