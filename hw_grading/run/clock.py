"""The time limits of a cell and of the whole submission: the time left, and texts for messages."""

from time import monotonic

from nbformat import NotebookNode

from hw_grading.homework.homework import Manifest
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox.processes import is_over
from hw_support.submission.cells import grade_id_of

# All cells together may idle for a few times the CPU time of one, and a minute; then each a little.
_TIMES_IDLE, _SECONDS_IDLE, _LEAST_SECONDS_IDLE = 3.0, 60.0, 5.0


class Clock:
    """The time that is left for a submission, and for its running cell.

    Time that the kernel waits for a processor that others use does not count. So a cell may take up
    to `MAX_TIMES` times its limit, and a submission twice its limit. The time in
    which nothing computes has a limit of its own, for all cells together.
    """

    def __init__(self, settings: RunSettings, manifest: Manifest) -> None:
        self._settings = settings
        self._own_cpu_seconds = manifest.seconds("cpu_seconds")
        self._own_wall_seconds = manifest.seconds("wall_seconds")
        self._deadline = monotonic() + settings.wall_seconds_per_submission
        self._of_cell = settings.wall_seconds_per_cell
        self._most_waited = settings.wall_seconds_per_submission
        self._most_idle = self._idle = _TIMES_IDLE * settings.cpu_seconds_per_cell + _SECONDS_IDLE
        self._began = self._limit = 0.0
        self.allowed = 0.0  # the seconds after which `goes_on` has to be asked
        self._has_idled = False  # whether the running cell was ended because nothing computed

    def begin(self, cell: NotebookNode) -> None:
        """Start the clock of a cell."""
        per_cell = self._settings.wall_seconds_per_cell
        self._of_cell = self._own_wall_seconds.get(grade_id_of(cell) or "", per_cell)
        self._began, self._limit = monotonic(), self.left()
        self.allowed = min(self._limit, max(self._idle, _LEAST_SECONDS_IDLE))
        self._has_idled = False

    def goes_on(self, waited: float, computed: float) -> bool:
        """Return whether the running cell has time left, after seconds waited and computed."""
        passed = monotonic() - self._began
        idle = passed - waited - computed
        self._has_idled = idle >= max(self._idle, _LEAST_SECONDS_IDLE)
        return not self._has_idled and not is_over(self._limit, passed, waited)

    def end(self, waited: float, computed: float) -> None:
        """Stop the cell's clock; extend the submission's time by the seconds that it waited."""
        self._idle -= max(0.0, monotonic() - self._began - waited - computed)
        granted = min(waited, self._most_waited)
        self._most_waited -= granted
        self._deadline += granted

    def cpu_seconds(self, cell: NotebookNode) -> float:
        """Return the CPU time that a cell may use."""
        per_cell = self._settings.cpu_seconds_per_cell
        return float(self._own_cpu_seconds.get(grade_id_of(cell) or "", per_cell))

    def left(self) -> float:
        """Return the cell's time limit in seconds, if it begins now."""
        return float(max(0.01, min(self._of_cell, self._deadline - monotonic())))

    def is_over(self) -> bool:
        """Return whether the whole submission has no time left."""
        return bool(monotonic() >= self._deadline)

    def of_all(self) -> str:
        """Return a text for the time limit of the whole submission."""
        return f"the {self._settings.wall_seconds_per_submission:g} s for the whole submission"

    def within(self) -> str:
        """Return a text for the limit that ends the cell now: its own or the submission's."""
        if self.is_over():
            return f"within {self.of_all()}"
        if self._has_idled:
            return f"within the {self._most_idle:g} s that all cells together may spend idle"
        return f"within {self._of_cell:g} s"
