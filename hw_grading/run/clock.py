"""How long a cell and the whole submission may take: what is left, and the words for it."""

from __future__ import annotations

from time import monotonic

from nbformat import NotebookNode

from hw_grading.homework.manifest import Manifest
from hw_grading.run.cells import is_test
from hw_grading.run.hangs import Hangs
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox.share import is_over
from hw_support.submission.mending import grade_id_of


class Clock:
    """The time that may pass, from now on, in a submission and in the cell that is running.

    What the kernel waited for the processor, because others used it, does not count. So a cell may
    take some times its limit, and a submission twice its own.

    Parameters
    ----------
    settings
        The limits of all cells.
    manifest
        Those of single ones.
    hangs
        Lowers the computing time of cells that call a function which did not return.
    """

    def __init__(self, settings: RunSettings, manifest: Manifest, hangs: Hangs) -> None:
        self._settings, self._hangs = settings, hangs
        self._own_cpu_seconds = manifest.seconds("cpu_seconds")
        self._own_wall_seconds = manifest.seconds("wall_seconds")
        self._deadline = monotonic() + settings.wall_seconds_per_submission
        self._of_cell = settings.wall_seconds_per_cell
        self._most_waited = settings.wall_seconds_per_submission
        self._began = 0.0
        self.allowed = 0.0  # seconds that may pass in the running cell, told when it began

    def begin(self, cell: NotebookNode) -> None:
        """Let a cell be the one that is running."""
        per_cell = self._settings.wall_seconds_per_cell
        self._of_cell = self._own_wall_seconds.get(grade_id_of(cell) or "", per_cell)
        self._began, self.allowed = monotonic(), self.left()

    def goes_on(self, waited: float) -> bool:
        """Whether the running cell may go on after its time, since it waited for so long."""
        return not is_over(self.allowed, monotonic() - self._began, waited)

    def end(self, waited: float) -> None:
        """Let no cell run any more; the last one waited for so long."""
        granted = min(waited, self._most_waited)
        self._most_waited -= granted
        self._deadline += granted

    def cpu_seconds(self, cell: NotebookNode) -> float:
        """Return the computing time of a cell."""
        per_cell = self._settings.cpu_seconds_per_cell
        usual = float(self._own_cpu_seconds.get(grade_id_of(cell) or "", per_cell))
        return usual if is_test(cell) else self._hangs.cpu_seconds(cell, usual)

    def left(self) -> float:
        """Return the seconds that may still pass in the cell, if it begins now."""
        return float(max(0.01, min(self._of_cell, self._deadline - monotonic())))

    def is_over(self) -> bool:
        """Whether the whole submission has no time left."""
        return bool(monotonic() >= self._deadline)

    def of_all(self) -> str:
        """Return words for the time of the whole submission."""
        return f"the {self._settings.wall_seconds_per_submission:g} s for the whole submission"

    def within(self) -> str:
        """Return words for the limit that ends the cell now: its own or the submission's."""
        return f"within {self.of_all() if self.is_over() else f'{self._of_cell:g} s'}"
