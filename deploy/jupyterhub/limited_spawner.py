"""Limits what one person's server can take from a machine that all share."""

import resource
from collections.abc import Callable
from pathlib import Path

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Integer


class LimitedSpawner(LocalProcessSpawner):
    """Starts a person's server with limits, which the person cannot raise."""

    processes = Integer(500, help="Processes and threads of the person.").tag(config=True)
    memory_mb = Integer(4000, help="Megabytes of each process.").tag(config=True)

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
