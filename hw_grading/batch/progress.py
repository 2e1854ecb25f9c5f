"""Progress and outcome of a run over a class: a bar, a table at the end, and a file of JSON lines.

On a terminal, messages below WARNING are hidden, since they would disturb the bar. Elsewhere the
bar is a line that appears now and then.
"""

import contextlib
import io
import json
import logging
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from hw_grading.gradebook.graded_notebook import plain
from hw_grading.gradebook.scores import counted
from hw_grading.outcome import NotGraded, Outcome, Status

_LONGEST_REASON = 300  # characters
_SECONDS_BETWEEN_LINES = 15.0
_BAR = "{desc}: {n_fmt} of {total_fmt} |{bar:20}| {remaining} left, {rate_fmt}{postfix}"


class Progress:
    """The progress of a run. Any thread may call its methods.

    The bar goes to `stream`, the table to `log`, and each outcome to ``<assignment>.jsonl`` in the
    folder.
    """

    def __init__(
        self,
        students: Sequence[str],
        folder: Path,
        assignment: str,
        log: logging.Logger | logging.LoggerAdapter[Any],
        stream: TextIO,
    ) -> None:
        self._outcomes: dict[str, Outcome | None] = dict.fromkeys(students)
        self._again: set[str] = set()  # those whose result is an earlier run's
        self._saved: set[str] = set()  # those whose scores are in the gradebook
        self._failed = 0  # students whose outcome is another than GRADED
        self._assignment, self._log = assignment, log
        self._lock = threading.RLock()
        self._start = monotonic()
        self._closing = contextlib.ExitStack()
        is_terminal = stream.isatty()
        if students and is_terminal:
            logger = log if isinstance(log, logging.Logger) else log.logger
            logger.addFilter(_is_news)
            self._closing.callback(logger.removeFilter, _is_news)
            self._closing.enter_context(logging_redirect_tqdm([logger]))
        self._bar: tqdm[Any] = tqdm(
            total=len(students),
            unit=" students",
            desc=assignment,
            file=stream,
            smoothing=0.1,
            mininterval=0.1 if is_terminal else _SECONDS_BETWEEN_LINES,
            bar_format=_BAR if is_terminal else _BAR + "\n",
            disable=not students,
        )
        self._closing.callback(self._bar.close)
        self._lines: io.RawIOBase | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = (folder / f"{assignment}.jsonl").open("ab", buffering=0)
            self._lines = self._closing.enter_context(lines)
        except OSError as error:
            self.trouble(f"The progress of grading cannot be written to {folder}: {error}")

    # -- what happens

    def ended(self, student: str, outcome: Outcome, *, again: bool = False) -> None:
        """Note the outcome; `again` means that an earlier run produced it."""
        with self._lock:
            before = self._outcomes.get(student)
            if before is None:
                self._bar.update()
            self._outcomes[student] = outcome
            if again:
                self._again.add(student)
            elif not isinstance(outcome, NotGraded):
                self._again.discard(student)
            self._failed += bool(outcome.reasons) - bool(before and before.reasons)
            self._bar.set_postfix(failed=self._failed, refresh=False)
            self._write_line(student, outcome, again)

    def saved(self, student: str, *outcomes: Outcome) -> None:
        """Note that a student's scores are in the gradebook: those of all notebooks together."""
        with self._lock:
            self._saved.add(student)
            if outcomes:  # the worst counts
                worst = max(outcomes, key=lambda one: [*Status].index(one.status))
                self._outcomes[student] = worst

    def trouble(self, message: str) -> None:
        """Show a message to the instructor."""
        self._log.error(message)

    def close(self, how_to_go_on: str) -> None:
        """End the bar, and show the table, with the command that grades those who are left."""
        with self._lock:
            self._closing.close()
            if not self._outcomes:
                return
            left = self.counts()[Status.NOT_GRADED]
            table = self.table()
            if left:
                table += f"\n{left} not graded. To grade the rest: {how_to_go_on}"
            self._log.log(logging.WARNING if left else logging.INFO, table)

    # -- the table

    def counts(self) -> Counter[Status]:
        """Return the number of students by outcome. Scores that are not saved are no outcome."""
        return Counter(
            outcome.status if outcome and student in self._saved else Status.NOT_GRADED
            for student, outcome in self._outcomes.items()
        )

    def table(self) -> str:
        """Return the outcome of the class as lines of text, with the problems."""
        counts = self.counts()
        minutes, seconds = divmod(round(monotonic() - self._start), 60)
        graded, failed = counts[Status.GRADED], counts[Status.SUBMISSION_FAILED]
        first = f"{self._assignment}: {graded + failed} graded, {failed} of them with problems"
        first += f", {counts[Status.NOT_GRADED]} not graded; {minutes} min {seconds} s"
        lines = [first + (f"; {len(self._again)} from an earlier run" if self._again else "")]
        for status, title in (
            (Status.SUBMISSION_FAILED, "GRADED, WITH PROBLEMS"),
            (Status.NOT_GRADED, "NOT GRADED"),
        ):
            named = {name: one for name, one in self._outcomes.items() if one}
            why = {name: one.reasons for name, one in named.items() if one.status is status}
            lines += [f"  {title}"] if why else []
            lines += [
                f"    {plain(student, 40)}: {plain(' '.join(reasons), _LONGEST_REASON)}"
                for student, reasons in why.items()
            ]
        refused = {name for name, one in self._outcomes.items() if isinstance(one, NotGraded)}
        if unsaved := len(self._outcomes.keys() - self._saved - refused):
            lines.append(
                f"  The run ended before the scores of {counted(unsaved, 'student')} were saved"
            )
        return "\n".join(lines)

    def _write_line(self, student: str, outcome: Outcome, again: bool) -> None:
        """Append a line to the file; without room, grading goes on."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "student": student,
            "end": outcome.status,
            "why": " ".join(outcome.reasons),
            "seconds": round(outcome.spent.seconds, 2),
            "cpu_seconds": round(outcome.spent.cpu_seconds, 2),
            "again": again,
        }
        if self._lines:
            with contextlib.suppress(OSError):
                self._lines.write(f"{json.dumps(line)}\n".encode())


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of the log is not one of those that each student has."""
    if record.levelno < logging.WARNING:
        return False
    return not record.getMessage().startswith("Removing existing")  # expected with --force
