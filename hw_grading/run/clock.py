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
    that others use, both since its start. Time that it waited does not count. So a cell may take up
    to `MAX_TIMES` times its limit, and a submission twice its limit.
    """

    def __init__(
        self, settings: RunSettings, manifest: Manifest, times: Callable[[], tuple[float, float]]
    ) -> None:
        self._settings, self._manifest, self._times = settings, manifest, times
        self._most_waited = settings.wall_seconds_per_submission
        self._deadline = monotonic() + self._most_waited

    def begin(self, cell: NotebookNode) -> None:
        """Start the clock of a cell."""
        name, settings, own = grade_id_of(cell) or "", self._settings, self._manifest.seconds
        cpu = own("cpu_seconds").get(name, settings.cpu_seconds_per_cell)
        wall = own("wall_seconds").get(name, settings.wall_seconds_per_cell)
        self._start(cpu, wall, self._deadline - monotonic())

    def begin_end(self, seconds: float) -> None:
        """Start the clock anew for a cell that was interrupted, and has to end in these seconds."""
        self.end()
        self._start(inf, seconds, inf)

    def _start(self, cpu: float, wall: float, left: float) -> None:
        self._began, (self._computed, self._waited) = monotonic(), self._times()
        self._cpu, self._wall, self._left = cpu, wall, left

    def limit_reached(self) -> str:
        """Return within which time the running cell had to end; "" while it has time left."""
        computed, waited = self._times()
        if computed - self._computed > self._cpu:
            return f"within {self._cpu:g} s of CPU time"
        limit = max(0.01, min(self._wall, self._left))
        if is_over(limit, monotonic() - self._began, waited - self._waited):
            return f"within {self.of_all()}" if limit < self._wall else f"within {limit:g} s"
        return ""

    def end(self) -> None:
        """Stop the cell's clock; extend the submission's time by the seconds that it waited."""
        granted = min(self._times()[1] - self._waited, self._most_waited)
        self._most_waited -= granted
        self._deadline += granted

    def is_over(self) -> bool:
        """Return whether the whole submission has no time left."""
        return bool(monotonic() >= self._deadline)

    def of_all(self) -> str:
        """Return a text for the time limit of the whole submission."""
        return f"the {self._settings.wall_seconds_per_submission:g} s for the whole submission"
