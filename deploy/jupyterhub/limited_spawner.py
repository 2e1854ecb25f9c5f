"""Limits what one person's server can take from a machine that all share, and keeps its port."""

import resource
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Integer


class LimitedSpawner(LocalProcessSpawner):
    """Starts a person's server with limits, which the person cannot raise.

    The hub binds the port of the server, and gives it up when the proxy leads nobody there any
    more: so nobody else can listen there, also if the server has ended.
    """

    processes = Integer(500, help="Processes and threads of the person.").tag(config=True)
    memory_mb = Integer(4000, help="Megabytes of each process.").tag(config=True)

    _port_of_the_hub: socket.socket | None = None

    async def start(self) -> tuple[str, int]:
        """Start singleuser.py with a new port; return the address."""
        self._port_of_the_hub = socket.socket()
        self._port_of_the_hub.bind((self.ip, 0))
        self.port = self._port_of_the_hub.getsockname()[1]
        self.popen_kwargs = {"stdin": self._port_of_the_hub}
        address: tuple[str, int] = await super().start()
        return address

    def run_post_stop_hook(self) -> Any:
        """Give the port up. JupyterHub has removed the route to it, or has stopped the proxy."""
        if self._port_of_the_hub:
            self._port_of_the_hub.close()
        return super().run_post_stop_hook()

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Return what the new process does before it becomes the person's."""
        become = super().make_preexec_fn(name)
        limits = {
            resource.RLIMIT_NPROC: self.processes,
            resource.RLIMIT_DATA: self.memory_mb << 20,
        }

        def limited() -> None:
            for kind, most in limits.items():
                resource.setrlimit(kind, (most, most))
            # If the machine has no memory left, this server is ended, not the hub or the grading.
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
            become()

        return limited
