"""The time limits of a cell and of the whole submission: the time left, and texts for messages."""

from time import monotonic

from nbformat import NotebookNode

from hw_grading.homework.cells import is_test
from hw_grading.homework.manifest import Manifest
from hw_grading.run.hangs import Hangs
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox.share import is_over
from hw_support.submission.cells import grade_id_of


class Clock:
    """The time that is left for a submission, and for its running cell.

    Time that the kernel waits for a processor that others use does not count. So a cell may take up
    to `MOST_TIMES` times its limit, and a submission twice its limit. `hangs` lowers the CPU time
    of cells that call a function which did not return.
    """

    def __init__(self, settings: RunSettings, manifest: Manifest, hangs: Hangs) -> None:
        self._settings, self._hangs = settings, hangs
        self._own_cpu_seconds = manifest.seconds("cpu_seconds")
        self._own_wall_seconds = manifest.seconds("wall_seconds")
        self._deadline = monotonic() + settings.wall_seconds_per_submission
        self._of_cell = settings.wall_seconds_per_cell
        self._most_waited = settings.wall_seconds_per_submission
        self._began = 0.0
        self.allowed = 0.0  # the running cell's time limit in seconds, computed at its beginning

    def begin(self, cell: NotebookNode) -> None:
        """Start the clock of a cell."""
        per_cell = self._settings.wall_seconds_per_cell
        self._of_cell = self._own_wall_seconds.get(grade_id_of(cell) or "", per_cell)
        self._began, self.allowed = monotonic(), self.left()

    def goes_on(self, waited: float) -> bool:
        """Return whether the running cell may exceed its time, after this many seconds waited."""
        return not is_over(self.allowed, monotonic() - self._began, waited)

    def end(self, waited: float) -> None:
        """Stop the cell's clock; extend the submission's time by the seconds that it waited."""
        granted = min(waited, self._most_waited)
        self._most_waited -= granted
        self._deadline += granted

    def cpu_seconds(self, cell: NotebookNode) -> float:
        """Return the CPU time that a cell may use."""
        per_cell = self._settings.cpu_seconds_per_cell
        usual = float(self._own_cpu_seconds.get(grade_id_of(cell) or "", per_cell))
        return usual if is_test(cell) else self._hangs.cpu_seconds(cell, usual)

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
        return f"within {self.of_all() if self.is_over() else f'{self._of_cell:g} s'}"
