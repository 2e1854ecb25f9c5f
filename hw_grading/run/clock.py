"""The time limits of a cell and of the whole submission."""

from time import monotonic

from nbformat import NotebookNode

from hw_grading.homework.homework import Manifest
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox.processes import is_over
from hw_support.submission.cells import grade_id_of


class Clock:
    """The time that is left for a submission, and for its running cell.

    The methods get the seconds that the kernel has computed, and that it has waited for a processor
    that others use, both since its start. Time that it waited does not count. So a cell may take up
    to `MAX_TIMES` times its limit, and a submission twice its limit.
    """

    def __init__(self, settings: RunSettings, manifest: Manifest) -> None:
        self._settings = settings
        self._own_cpu_seconds = manifest.seconds("cpu_seconds")
        self._own_wall_seconds = manifest.seconds("wall_seconds")
        self._deadline = monotonic() + settings.wall_seconds_per_submission
        self._most_waited = settings.wall_seconds_per_submission

    def begin(self, cell: NotebookNode, computed: float, waited: float) -> None:
        """Start the clock of a cell."""
        name, settings = grade_id_of(cell) or "", self._settings
        self._began, self._computed, self._waited = monotonic(), computed, waited
        self._cpu = self._own_cpu_seconds.get(name, settings.cpu_seconds_per_cell)
        self._wall = self._own_wall_seconds.get(name, settings.wall_seconds_per_cell)
        self._left = self._deadline - self._began

    def limit_reached(self, computed: float, waited: float) -> str:
        """Return within which time the running cell had to end; "" while it has time left."""
        computed, waited = computed - self._computed, waited - self._waited
        passed = monotonic() - self._began
        if computed > self._cpu:
            return f"within {self._cpu:g} s of CPU time"
        if is_over(max(0.01, min(self._wall, self._left)), passed, waited):
            return (
                f"within {self.of_all()}" if self._left < self._wall else f"within {self._wall:g} s"
            )
        return ""

    def end(self, waited: float) -> None:
        """Stop the cell's clock; extend the submission's time by the seconds that it waited."""
        granted = min(waited - self._waited, self._most_waited)
        self._most_waited -= granted
        self._deadline += granted

    def is_over(self) -> bool:
        """Return whether the whole submission has no time left."""
        return bool(monotonic() >= self._deadline)

    def of_all(self) -> str:
        """Return a text for the time limit of the whole submission."""
        return f"the {self._settings.wall_seconds_per_submission:g} s for the whole submission"
