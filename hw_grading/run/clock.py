"""The time limits of a cell and of the whole submission."""

from collections.abc import Callable
from math import inf
from time import monotonic

from nbformat import NotebookNode

from hw_grading.homework.homework import Manifest
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox.processes import is_over
from hw_support.submission.cells import grade_id_of


class Clock:
    """The time that is left for a submission, and for its running cell.

    `times` returns the seconds that the kernel has computed, and that it has waited for a processor
    that others use, both since its start. Time that it waited does not count. So a cell, and the
    whole submission, may take up to `MAX_TIMES` times their limit.
    """

    def __init__(
        self, settings: RunSettings, manifest: Manifest, times: Callable[[], tuple[float, float]]
    ) -> None:
        self._settings, self._manifest, self._times = settings, manifest, times
        self._began_all = monotonic()

    def begin(self, cell: NotebookNode) -> None:
        """Start the clock of a cell."""
        name, settings, own = grade_id_of(cell) or "", self._settings, self._manifest.seconds
        self._is_ending = False
        self._cpu = own("cpu_seconds").get(name, settings.cpu_seconds_per_cell)
        self._wall = own("wall_seconds").get(name, settings.wall_seconds_per_cell)
        self._began, (self._computed, self._waited) = monotonic(), self._times()

    def begin_end(self, seconds: float) -> None:
        """Start the clock anew for a cell that was interrupted, and has to end in these seconds."""
        self._is_ending = True
        self._cpu, self._wall = inf, seconds
        self._began, self._waited = monotonic(), self._times()[1]

    def limit_reached(self) -> str:
        """Return within which time the running cell had to end; "" while it has time left."""
        computed, waited = self._times()
        if computed - self._computed > self._cpu:
            return f"within {self._cpu:g} s of CPU time"
        if is_over(self._wall, monotonic() - self._began, waited - self._waited):
            return f"within {self._wall:g} s"
        return f"within {self.of_all()}" if self.is_over() and not self._is_ending else ""

    def is_over(self) -> bool:
        """Return whether the whole submission has no time left."""
        limit = self._settings.wall_seconds_per_submission
        return is_over(limit, monotonic() - self._began_all, self._times()[1])

    def of_all(self) -> str:
        """Return a text for the time limit of the whole submission."""
        return f"the {self._settings.wall_seconds_per_submission:g} s for the whole submission"
