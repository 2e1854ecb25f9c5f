"""The settings for the limits of a submission. Each setting's name contains its unit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from traitlets import Bool, Enum, Float, HasTraits, Integer, List, Unicode
from traitlets.config import Configurable

from hw_grading.answering.isolation import Limits
from hw_grading.sandbox.environment import check, what_to_show


def _number(default: float, text: str) -> Any:
    return Float(default, help=text).tag(config=True)


def _whole(default: int, text: str) -> Any:
    return Integer(default, help=text).tag(config=True)


class RunSettings(HasTraits):
    """The sandbox and the limits of a submission; ``c.ExecuteSubmission``.

    The limits of CPU time are the main limits of a student's code. The wall-clock limits stop code
    that only waits. They are larger, since the machine may be busy.
    """

    sandbox = Enum(
        ["bubblewrap", "none"],
        default_value="bubblewrap",
        help="The sandbox of student code. 'none': no sandbox, for a class that you trust with "
        "this machine.",
    ).tag(config=True)

    fork_kernels = Bool(
        True,
        help="Whether to fork kernels from a process that has done their imports, which is faster. "
        "Each submission has its own kernel and sandbox.",
    ).tag(config=True)

    packages = List(
        Unicode(),
        help="Packages, by their names on PyPI, that notebooks may import beside those that every "
        "student installs. Install them in the grader's environment: `doctor` looks for them. "
        "`START.html` and `check` tell students which there are.",
    ).tag(config=True)

    cpu_seconds_per_cell = _number(60, "CPU time (s) of a cell.")
    cpu_seconds_per_submission = _number(1800, "CPU time (s) of all cells together.")
    wall_seconds_per_cell = _number(180, "Wall-clock time (s) of a cell.")
    wall_seconds_per_submission = _number(3600, "Wall-clock time (s) of all cells together.")

    memory_mb = _whole(3000, "Memory (MB) of all processes of a submission together.")
    processes = _whole(64, "Number of processes and threads of a submission.")
    file_mb = _whole(100, "Size (MB) of one file.")
    folder_mb = _whole(200, "Size (MB) of each of the folders home, /tmp and /dev/shm.")
    files = _whole(20_000, "Number of files and folders in each of these folders.")
    output_bytes_per_cell = _whole(
        2_000_000,
        "Output of a cell that is kept, in bytes. The grader stops a cell that prints far more.",
    )
    output_bytes_per_submission = _whole(
        20_000_000, "Output of all cells together that is kept, in bytes."
    )
    blas_threads = _whole(1, "Threads of BLAS and OpenMP. 0: the libraries choose.")
    iopub_timeout = _whole(
        10, "Time (s) to wait for the last outputs, and for a cell to react to an interrupt."
    )
    startup_timeout = _whole(60, "Time (s) to wait for a kernel to start.")

    def plain(self) -> dict[str, Any]:
        """Return all settings by name, with JSON values."""
        return {name: getattr(self, name) for name in sorted(RunSettings.class_trait_names())}

    def of_sandbox(self) -> Limits:
        """Return the limits that the sandbox enforces."""
        return Limits(self.memory_mb, self.processes, self.file_mb, self.folder_mb)

    def expect_a_sandbox(self, secrets: Sequence[Path]) -> None:
        """Raise `GraderFault` if no sandbox can be made, unless sandboxes are turned off."""
        if self.sandbox != "none":
            check(what_to_show(self.blas_threads, list(secrets)), self.of_sandbox())


class ExecuteSubmission(RunSettings, Configurable):
    """These settings as a course's configuration has them; the class names their section."""
