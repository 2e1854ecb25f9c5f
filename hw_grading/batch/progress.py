"""Progress and outcome of a run over a class: a bar, lines, a table, JSON lines.

On a terminal there is one bar, and messages below WARNING are hidden, since they would disturb it.
Elsewhere a plain line appears now and then. JSON lines are always appended to a file.
"""

import contextlib
import json
import logging
import statistics
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
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

_MOST_SLOW = 5  # submissions in the list of the slowest
_LONGEST_REASON = 300  # characters
_SECONDS_BETWEEN_LINES = 15.0
_BAR = "{desc}: {n_fmt} of {total_fmt} |{bar}| {remaining} left, {rate_fmt}{postfix}"


@dataclass
class _Entry:
    """What a run knows of one student."""

    student: str
    end: Status | None = None  # None if there is no outcome yet
    why: str = ""  # the reasons for the outcome
    seconds: float = 0.0  # on the clock
    cpu_seconds: float = 0.0
    again: bool = False  # whether an earlier run produced the result
    saved: bool = False  # whether the scores are in the gradebook


class Progress:
    """The progress of a run. Any thread may call its methods.

    The folder gets ``<assignment>.jsonl``. The stream shows the bar, if it is a terminal. Otherwise
    plain lines go to `log`.
    """

    def __init__(
        self,
        students: Sequence[str],
        folder: Path,
        assignment: str,
        log: logging.Logger | logging.LoggerAdapter[Any],
        stream: TextIO,
    ) -> None:
        self._entries = {student: _Entry(student) for student in students}
        self._assignment, self._folder, self._log = assignment, folder, log
        self._can_be_written = True  # False after the folder could not be written to
        # In the order in which they began. Those after the first `at_once` wait for a worker.
        self._running: dict[str, None] = {}
        self.counts: Counter[Status] = Counter()  # students by outcome
        self._lock = threading.RLock()
        self._start = self._last_line = monotonic()
        self._not_reached = 0  # students whose turn did not come, when the run ended
        self._closing = contextlib.ExitStack()
        self._bar: tqdm[Any] | None = None
        self.closed = False
        self.at_once = 1  # how many submissions run at a time: the others wait for a worker
        if students and stream.isatty():
            logger = log if isinstance(log, logging.Logger) else log.logger
            self._closing.enter_context(_only_warnings(logger))
            self._closing.enter_context(logging_redirect_tqdm([logger]))
            self._bar = self._closing.enter_context(
                tqdm(
                    total=len(students),
                    unit=" students",
                    desc=assignment,
                    file=stream,
                    smoothing=0.1,
                    bar_format=_BAR,
                )
            )
        if students:
            self._write_line(event="begin", students=len(students))

    # -- what happens

    def began(self, student: str) -> None:
        """Note that a submission runs, or waits for a worker."""
        with self._lock:
            self._running[student] = None
            self._show()

    def ended(self, student: str, outcome: Outcome, *, again: bool) -> None:
        """Note the outcome; `again` means that an earlier run produced it."""
        with self._lock:
            self._running.pop(student, None)
            entry = self._entries.setdefault(student, _Entry(student))
            spent = outcome.spent
            entry.seconds, entry.cpu_seconds = spent.seconds, spent.cpu_seconds
            entry.again = again
            self._end(entry, outcome.status, " ".join(outcome.reasons))
            self._event_of(entry, worker=spent.worker)
            self._show()

    def not_graded(self, student: str, why: str) -> None:
        """Note that the grader failed to grade a student; this replaces an earlier outcome."""
        with self._lock:
            entry = self._entries.setdefault(student, _Entry(student))
            self._end(entry, Status.NOT_GRADED, why)
            self._event_of(entry)
            self._show()

    def saved(self, student: str) -> None:
        """Note that a student's scores are in the gradebook."""
        with self._lock:
            if student in self._entries:
                self._entries[student].saved = True

    def trouble(self, message: str) -> None:
        """Show a message to the instructor."""
        self._log.error(message)

    def close(self, how_to_go_on: str) -> None:
        """End the bar, and show the table, with the command that grades those who are left."""
        with self._lock:
            if self.closed or not self._entries:
                return
            self.closed = True
            self._closing.close()
            interrupted = [*self._running][: self.at_once]
            for entry in self._entries.values():
                if entry.end is None and entry.student not in interrupted:
                    self._not_reached += 1
                elif not entry.saved and entry.end is not Status.NOT_GRADED:
                    saved = "its scores were not saved"
                    self._end(
                        entry, Status.NOT_GRADED, saved if entry.end else "it was interrupted"
                    )
            self.counts[Status.NOT_GRADED] += self._not_reached
            left = self.counts[Status.NOT_GRADED]
            self._write_line(event="end", **{str(end): self.counts[end] for end in Status})
            table = self.table()
            if left:
                table += f"\n{left} not graded. To grade the rest: {how_to_go_on}"
            self._log.log(logging.WARNING if left else logging.INFO, table)

    def _end(self, entry: _Entry, end: Status, why: str) -> None:
        if entry.end is not None:
            self.counts[entry.end] -= 1
        elif self._bar is not None:
            # This may be a student who was not in the list at the beginning.
            self._bar.total = max(self._bar.total, len(self._entries))
            self._bar.update()
        self.counts[end] += 1
        entry.end, entry.why = end, why

    # -- what is shown

    def table(self) -> str:
        """Return the outcome of the class as lines of text, with failures and the slowest."""
        minutes, seconds = divmod(round(monotonic() - self._start), 60)
        first = f"{self._assignment}: {self._counted()}; {minutes} min {seconds} s"
        entries = self._entries.values()
        if again := sum(entry.again for entry in entries):
            first += f"; {again} from an earlier run"
        lines = [first]
        for end in (Status.SUBMISSION_FAILED, Status.NOT_GRADED):
            ended = [entry for entry in entries if entry.end is end]
            lines += [f"  {str(end).upper()}"] if ended else []
            lines += [f"    {plain(e.student, 40)}: {plain(e.why, _LONGEST_REASON)}" for e in ended]
        if self._not_reached:
            lines.append(
                f"  The run ended before {counted(self._not_reached, 'student')} had a turn"
            )
        ran = [entry for entry in entries if entry.seconds and not entry.again]
        if ran:
            median = statistics.median(entry.seconds for entry in ran)
            lines.append(f"  SLOWEST (the median took {median:.1f} s)")
        for entry in sorted(ran, key=lambda entry: -entry.seconds)[:_MOST_SLOW]:
            cpu_time = f"({entry.cpu_seconds:.1f} s of CPU time)"
            lines.append(f"    {plain(entry.student, 40)}: {entry.seconds:.1f} s {cpu_time}")
        return "\n".join(lines)

    def _counted(self) -> str:
        return ", ".join(f"{end} {self.counts[end]}" for end in Status)

    def _show(self) -> None:
        """Update the bar, or log a line now and then."""
        failed = self.counts[Status.SUBMISSION_FAILED] + self.counts[Status.NOT_GRADED]
        running = min(len(self._running), self.at_once)
        now = monotonic()
        if self._bar is not None:
            self._bar.set_postfix(running=running, failed=failed, refresh=False)
        elif now - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line = now
            done = self.counts.total()
            minutes = (now - self._start) / 60
            left = minutes * (len(self._entries) / done - 1) if done else 0.0
            self._log.info(
                f"{done} of {len(self._entries)} done, {running} running, {failed} failed, "
                f"{done / minutes:.0f} a minute" + (f", about {left:.0f} min left" if done else "")
            )

    def _event_of(self, entry: _Entry, **more: Any) -> None:
        self._write_line(
            event="student",
            student=entry.student,
            end=entry.end,
            why=entry.why,
            seconds=round(entry.seconds, 2),
            cpu_seconds=round(entry.cpu_seconds, 2),
            again=entry.again,
            **more,
        )

    # -- the file; grading goes on if it cannot be written

    def _write_line(self, **what: Any) -> None:
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), **what})
        with self._writing():
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{self._assignment}.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if self._can_be_written:  # tell the instructor once
                self._can_be_written = False
                self.trouble(
                    f"The progress of grading cannot be written to {self._folder}: {error}"
                )


@contextlib.contextmanager
def _only_warnings(logger: logging.Logger) -> Iterator[None]:
    def is_warning(record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return False
        return not record.getMessage().startswith("Removing existing")  # expected with --force

    logger.addFilter(is_warning)
    try:
        yield
    finally:
        logger.removeFilter(is_warning)
