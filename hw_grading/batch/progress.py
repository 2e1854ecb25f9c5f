"""Progress and outcome of a run over a class: a bar, a table at the end, and a file of JSON lines.

On a terminal, messages below WARNING are hidden, since they would disturb the bar. Elsewhere the
bar is a line that appears now and then.
"""

import contextlib
import json
import logging
import statistics
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from hw_grading.gradebook.graded_notebook import plain
from hw_grading.gradebook.scores import counted
from hw_grading.outcome import Outcome, Status

_MAX_SLOW = 5  # submissions in the list of the slowest
_LONGEST_REASON = 300  # characters
_SECONDS_BETWEEN_LINES = 15.0
_BAR = "{desc}: {n_fmt} of {total_fmt} |{bar:20}| {remaining} left, {rate_fmt}{postfix}"


@dataclass
class _Entry:
    """What a run knows of one student."""

    end: Status | None = None  # None if there is no outcome yet
    why: str = ""  # the reasons for the outcome
    seconds: float = 0.0  # wall-clock
    cpu_seconds: float = 0.0
    again: bool = False  # whether an earlier run produced the result
    saved: bool = False  # whether the scores are in the gradebook


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
        self._entries = {student: _Entry() for student in students}
        self._failed = 0  # students whose outcome is another than GRADED
        self._assignment, self._folder, self._log = assignment, folder, log
        self._can_be_written = True  # False after the folder could not be written to
        self._lock = threading.RLock()
        self._start = monotonic()
        self._closing = contextlib.ExitStack()
        is_terminal = stream.isatty()
        if students and is_terminal:
            logger = log if isinstance(log, logging.Logger) else log.logger
            logger.addFilter(is_news)
            self._closing.callback(logger.removeFilter, is_news)
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

    # -- what happens

    def ended(self, student: str, outcome: Outcome, *, again: bool) -> None:
        """Note the outcome; `again` means that an earlier run produced it."""
        spent = outcome.spent
        of_time = {"seconds": spent.seconds, "cpu_seconds": spent.cpu_seconds, "again": again}
        self._end(student, outcome.status, " ".join(outcome.reasons), **of_time)

    def not_graded(self, student: str, why: str) -> None:
        """Note that the grader failed to grade a student; this replaces an earlier outcome."""
        self._end(student, Status.NOT_GRADED, why)

    def saved(self, student: str) -> None:
        """Note that a student's scores are in the gradebook."""
        with self._lock:
            self._entries.setdefault(student, _Entry()).saved = True

    def trouble(self, message: str) -> None:
        """Show a message to the instructor."""
        self._log.error(message)

    def _end(self, student: str, end: Status, why: str, **known: Any) -> None:
        with self._lock:
            entry = self._entries.setdefault(student, _Entry())
            before = entry.end
            if before is None:
                self._bar.update()
            for name, value in {"end": end, "why": why, **known}.items():
                setattr(entry, name, value)
            self._failed += _is_failed(end) - _is_failed(before)
            self._bar.set_postfix(failed=self._failed, refresh=False)
            self._write_line(student, entry)

    def close(self, how_to_go_on: str) -> None:
        """End the bar, and show the table, with the command that grades those who are left."""
        with self._lock:
            self._closing.close()
            if not self._entries:
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
            entry.end if entry.end and entry.saved else Status.NOT_GRADED
            for entry in self._entries.values()
        )

    def table(self) -> str:
        """Return the outcome of the class as lines of text, with problems and the slowest."""
        counts = self.counts()
        minutes, seconds = divmod(round(monotonic() - self._start), 60)
        graded, failed = counts[Status.GRADED], counts[Status.SUBMISSION_FAILED]
        first = f"{self._assignment}: {graded + failed} graded, {failed} of them with problems"
        first += f", {counts[Status.NOT_GRADED]} not graded; {minutes} min {seconds} s"
        if again := sum(entry.again for entry in self._entries.values()):
            first += f"; {again} from an earlier run"
        lines = [first]
        for end, title in (
            (Status.SUBMISSION_FAILED, "GRADED, WITH PROBLEMS"),
            (Status.NOT_GRADED, "NOT GRADED"),
        ):
            ended = {name: entry for name, entry in self._entries.items() if entry.end is end}
            lines += [f"  {title}"] if ended else []
            lines += [
                f"    {plain(student, 40)}: {plain(entry.why, _LONGEST_REASON)}"
                for student, entry in ended.items()
            ]
        open_end = (None, Status.GRADED, Status.SUBMISSION_FAILED)
        if unsaved := sum(e.end in open_end and not e.saved for e in self._entries.values()):
            lines.append(f"  The run ended before the scores of {counted(unsaved, 'student')}")
            lines[-1] += " were saved"
        ran = {name: e for name, e in self._entries.items() if e.seconds and not e.again}
        if ran:
            median = statistics.median(entry.seconds for entry in ran.values())
            lines.append(f"  SLOWEST (the median took {median:.1f} s)")
        for student, entry in sorted(ran.items(), key=lambda item: -item[1].seconds)[:_MAX_SLOW]:
            cpu_time = f"({entry.cpu_seconds:.1f} s of CPU time)"
            lines.append(f"    {plain(student, 40)}: {entry.seconds:.1f} s {cpu_time}")
        return "\n".join(lines)

    def _write_line(self, student: str, entry: _Entry) -> None:
        """Append a line to the file. Grading goes on if that fails."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "student": student,
            "end": entry.end,
            "why": entry.why,
            "seconds": round(entry.seconds, 2),
            "cpu_seconds": round(entry.cpu_seconds, 2),
            "again": entry.again,
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{self._assignment}.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
        except OSError as error:
            if self._can_be_written:  # tell the instructor once
                self._can_be_written = False
                self.trouble(
                    f"The progress of grading cannot be written to {self._folder}: {error}"
                )


def _is_failed(end: Status | None) -> bool:
    return end not in (None, Status.GRADED)


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line of the log is not one of those that each student has."""
    if record.levelno < logging.WARNING:
        return False
    return not record.getMessage().startswith("Removing existing")  # expected with --force
