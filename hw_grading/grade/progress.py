"""The progress of a run over a class: a bar, and a table at the end.

On a terminal, messages below WARNING are hidden, since they would disturb the bar. Elsewhere the
bar is a line that appears now and then.
"""

import contextlib
import logging
import sys
from collections.abc import Iterable
from time import monotonic
from typing import Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from hw_grading.outcome import Outcome, Status
from hw_support.submission.problems import plain

_LONGEST_REASON = 300  # characters
_SECONDS_BETWEEN_LINES = 15.0
tqdm.monitor_interval = 0  # no thread: a process with threads cannot be forked safely
_BAR = "{desc}: {n_fmt} of {total_fmt} |{bar:20}| {remaining} left"


class Progress:
    """The progress of a run over some students, who have some notebooks together."""

    def __init__(
        self,
        students: int,
        notebooks: int,
        assignment: str,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._students, self._assignment = students, assignment
        self._outcomes: dict[str, tuple[Status, str]] = {}  # of students: the reason
        self.again = 0  # results of earlier runs
        self.log = log if isinstance(log, logging.Logger) else log.logger
        self._start = monotonic()
        self._closing = contextlib.ExitStack()
        is_terminal = sys.stderr.isatty()
        if is_terminal:
            self._closing.callback(self.log.setLevel, self.log.level)
            self.log.setLevel(logging.WARNING)
            self._closing.enter_context(logging_redirect_tqdm([self.log]))
        self._bar: tqdm[Any] = tqdm(
            total=notebooks,
            desc=assignment,
            smoothing=0.1,
            miniters=1,
            mininterval=0.1 if is_terminal else _SECONDS_BETWEEN_LINES,
            bar_format=_BAR if is_terminal else _BAR + "\n",
            disable=not notebooks,
        )
        self._closing.callback(self._bar.close)

    def expect(self, notebooks: int) -> None:
        """Note that this number of notebooks is to be run, if it is more than was known."""
        self._bar.total = max(self._bar.total, notebooks)

    def ran(self, *_: object) -> None:
        """Note that a notebook was run; any thread may call this."""
        self._bar.update()

    def saved(self, student: str, outcomes: Iterable[Outcome]) -> None:
        """Note that a student's scores are in the gradebook: those of all notebooks together."""
        worst = max(outcomes, key=lambda one: [*Status].index(one.status))
        self._outcomes[student] = worst.status, worst.why

    def not_graded(self, student: str, why: str) -> None:
        """Note that a student has no scores."""
        self._outcomes[student] = Status.NOT_GRADED, why

    def close(self, how_to_go_on: str) -> None:
        """End the bar, and show the table, with the command that grades those who are left."""
        self._closing.close()
        done = [status for status, _ in self._outcomes.values()]
        graded, failed = done.count(Status.GRADED), done.count(Status.SUBMISSION_FAILED)
        left = self._students - graded - failed
        minutes, seconds = divmod(round(monotonic() - self._start), 60)
        first = f"{self._assignment}: {graded + failed} graded, {failed} of them with problems"
        first += f", {left} not graded; {minutes} min {seconds} s"
        lines = [first + (f"; {self.again} from an earlier run" if self.again else "")]
        for status, title in (
            (Status.SUBMISSION_FAILED, "GRADED, WITH PROBLEMS"),
            (Status.NOT_GRADED, "NOT GRADED"),
        ):
            why = {name: reason for name, (one, reason) in self._outcomes.items() if one is status}
            lines += [f"  {title}"] if why else []
            lines += [
                f"    {plain(student, 40)}: {plain(reason, _LONGEST_REASON)}"
                for student, reason in why.items()
            ]
        if left:
            lines.append(f"{left} not graded. To grade the rest: {how_to_go_on}")
        if self._students:
            self.log.log(logging.WARNING if left else logging.INFO, "\n".join(lines))
