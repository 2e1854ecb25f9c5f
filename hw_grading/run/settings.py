"""The settings for the limits of a submission. Each setting's name contains its unit."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Enum, Float, HasTraits, Integer

from hw_grading.sandbox.policy import Limits


def _number(default: float, text: str) -> Any:
    return Float(default, help=text).tag(config=True)


def _whole(default: int, text: str) -> Any:
    return Integer(default, help=text).tag(config=True)


class RunSettings(HasTraits):
    """The settings that an instructor makes as ``c.ExecuteSubmission``.

    The limits of computing time are the main limits of a student's code. The limits of time on the
    clock stop code that only waits. They are larger, since the machine may be busy.
    """

    sandbox = Enum(
        ["bubblewrap", "none"],
        default_value="bubblewrap",
        help="where student code runs; 'none' is for a class that you trust with this machine",
    ).tag(config=True)

    fork_kernels = Bool(
        True,
        help="whether kernels are copies of a process that has done its imports, which is quicker; "
        "each submission has a copy and a sandbox of its own",
    ).tag(config=True)

    cpu_seconds_per_cell = _number(60, "computing time of a cell")
    cpu_seconds_per_submission = _number(1800, "computing time of all cells together")
    wall_seconds_per_cell = _number(180, "time that may pass in a cell")
    wall_seconds_per_submission = _number(3600, "time that may pass in all cells together")

    memory_mb = _whole(3000, "memory of all processes of a submission together")
    processes = _whole(64, "processes and threads of a submission")
    file_mb = _whole(100, "size of one file")
    folder_mb = _whole(200, "what may be written to the home folder, to /tmp, and to /dev/shm")
    files = _whole(20_000, "files and folders in each of these folders")
    output_bytes_per_cell = _whole(
        2_000_000, "about how much output of a cell is kept; a cell that goes on is stopped"
    )
    output_bytes_per_submission = _whole(
        20_000_000, "about how much output of all cells together is kept"
    )
    blas_threads = _whole(1, "threads of BLAS and OpenMP; 0 lets the libraries choose")
    iopub_timeout = _whole(
        10, "seconds for the last outputs to arrive, and for an interrupt to have an effect"
    )
    startup_timeout = _whole(60, "seconds for a kernel to start")

    def plain(self) -> dict[str, Any]:
        """Return all settings by name, with JSON values."""
        return {name: getattr(self, name) for name in sorted(RunSettings.class_trait_names())}

    def after(self, wall_seconds: float, cpu_seconds: float) -> RunSettings | None:
        """Return the settings for one more run of a submission that has taken this much time.

        Return None if less time than this is left: the second run would not get as far.
        """
        passing = self.wall_seconds_per_submission - wall_seconds
        computing = self.cpu_seconds_per_submission - cpu_seconds
        if passing < wall_seconds or computing < cpu_seconds:
            return None
        left = {"wall_seconds_per_submission": passing, "cpu_seconds_per_submission": computing}
        return RunSettings(**self.plain() | left)

    def of_sandbox(self) -> Limits:
        """Return the limits that the sandbox enforces."""
        return Limits(
            memory_mb=self.memory_mb,
            processes=self.processes,
            file_mb=self.file_mb,
            folder_mb=self.folder_mb,
        )
