"""The kernel of one submission, from its start in a sandbox to its end.

It extends nbclient's client for student code: a watchdog watches the kernel from outside, and a
second connection is made if student code has broken the first.
"""

import logging
import os
import socket
from typing import Any

from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from nbclient import NotebookClient
from nbclient.util import ensure_async, run_sync
from nbformat import NotebookNode
from traitlets.log import get_logger

from hw_grading.homework.homework import Homework
from hw_grading.run.blame import exchange
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox import environment
from hw_grading.sandbox.kernel import KernelInSandbox, NoAnswer
from hw_grading.sandbox.watch import Stop, Watch

_SECONDS_FOR_KERNEL_INFO = 30


class Kernel(NotebookClient):
    """One kernel, and its watchdog; `hooks` are further settings of nbclient."""

    def __init__(
        self, nb: NotebookNode, settings: RunSettings, homework: Homework, **hooks: Any
    ) -> None:
        # nbclient's debug messages, a dozen for each cell, take more time than the cell itself.
        log = logging.getLogger(f"{get_logger().name}.kernel")
        log.setLevel(logging.INFO)
        super().__init__(
            nb,
            log=log,
            kernel_manager_class=KernelInSandbox,
            kernel_name=NATIVE_KERNEL_NAME,  # the notebook may name any other, or none
            shutdown_kernel="immediate",
            store_widget_state=False,
            record_timing=False,  # the kernel does not say when it begins
            timeout=_SECONDS_FOR_KERNEL_INFO,
            iopub_timeout=settings.iopub_timeout,
            startup_timeout=settings.startup_timeout,
            **hooks,
        )
        self._settings, self._homework = settings, homework
        self._manager: Any = None
        self._watch: Watch | None = None

    @property
    def watch(self) -> Watch:
        """The watchdog of the kernel's processes, once these are started."""
        assert self._watch
        return self._watch

    @property
    def stop(self) -> Stop | None:
        """Why the kernel was killed; None if it was not."""
        return self._watch.stop if self._watch else None

    @property
    def cpu_seconds_used(self) -> float:
        """CPU time of the kernel and of all processes that it started."""
        return self._watch.used_seconds if self._watch else 0.0

    def start(self) -> socket.socket:
        """Start the kernel and its watchdog; return the examiner's link, to be closed."""
        self._manager = self.km = self.create_kernel_manager()
        count = self._settings.blas_threads
        threads = dict.fromkeys(environment.BLAS_VARIABLES, str(count)) if count else {}
        self.start_new_kernel(env={**os.environ, **threads})
        run_sync(ensure_async)(self._manager.take_sockets(self.startup_timeout))
        provisioner = self._manager.provisioner
        self._watch = Watch(
            provisioner.kernel,
            provisioner.process,
            memory_mb=self._settings.memory_mb,
            cpu_seconds=self._settings.cpu_seconds_per_submission,
            most_files=self._settings.files if self._settings.sandbox != "none" else None,
        )
        link: socket.socket = provisioner.link
        return link

    def end(self) -> None:
        """End all processes that were started, and wait until they have ended."""
        if self._watch:
            self._watch.kill()
            self._watch.end()
        if self._manager:
            if not self._watch and self._manager.has_kernel:
                self._manager.provisioner.end()
            self._manager.remove_run_folder()

    def create_kernel_manager(self) -> Any:
        """Make the manager of a kernel in a sandbox."""
        manager: Any = super().create_kernel_manager()
        manager.log = self.log
        if self._settings.sandbox != "none":
            preload = tuple(self._homework.manifest.preload)
            manager.shown = environment.what_to_show(self._settings.blas_threads, [], preload)
        manager.limits = self._settings.of_sandbox()
        manager.forked = self._settings.fork_kernels
        manager.files = self._homework.archive()
        return manager

    def note_language(self) -> None:
        """Ask the connected kernel for its language, and store it in the notebook."""
        answer: Any = self.wait_for_reply(self.kc.kernel_info())
        self.nb.metadata["language_info"] = answer["content"]["language_info"]

    async def _async_responds(self) -> bool:
        self.kc.stop_channels()
        self.kc: Any = self.km.client()  # type: ignore[union-attr]
        self.kc.allow_stdin = False
        self.kc.start_channels()
        try:
            await ensure_async(self.kc.wait_for_ready(timeout=self.iopub_timeout))
        except NoAnswer:
            return False
        return True

    def responds(self) -> bool:
        """Return whether the kernel still answers, after earlier messages have arrived.

        This makes new connections: a message that was too large, or damaged, may have closed the
        old ones. Raise `BadExchange` if the kernel's answer cannot be understood.
        """
        with exchange():
            return bool(run_sync(self._async_responds)())

    def is_alive(self) -> bool:
        """Return whether the kernel's process still runs."""
        return bool(run_sync(ensure_async)(self._manager.is_alive()))

    def lost_its_fork_server(self) -> bool:
        """Return whether the kernel ended because the fork server that forked it has ended."""
        place = self._manager.provisioner.fork_server if self.km else None
        return bool(place and place.has_ended(within=0.5))
