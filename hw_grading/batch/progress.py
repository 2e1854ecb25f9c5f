"""Progress and outcome of a run over a class: a bar, lines, a table, JSON lines, a page.

On a terminal there is one bar, and messages below WARNING are hidden, since they would disturb it.
Elsewhere a plain line appears now and then. JSON lines and the page are always written to a folder.
"""

import contextlib
import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from hw_grading.batch.progress_page import Entry, in_words, page, table
from hw_grading.outcome import Outcome, Status
from hw_grading.records.writing import write_whole

_SECONDS_BETWEEN_LINES = 15.0
_SECONDS_BETWEEN_PAGES = 3.0
_BAR = "{desc}: {n_fmt} of {total_fmt} |{bar}| {remaining} left, {rate_fmt}{postfix}"


class Progress:
    """The progress of a run. Any thread may call its methods.

    The folder gets ``<assignment>.jsonl`` and ``<assignment>.html``. The stream shows the bar, if
    it is a terminal. Otherwise plain lines go to `log`.
    """

    def __init__(
        self,
        students: Sequence[str],
        folder: Path,
        assignment: str,
        log: logging.Logger | logging.LoggerAdapter[Any],
        stream: TextIO,
    ) -> None:
        self._entries = {student: Entry(student) for student in students}
        self._assignment, self._folder, self._log = assignment, folder, log
        self._can_be_written = True  # False after the folder could not be written to
        self._running: set[str] = set()  # including those that wait for a worker
        self.counts: Counter[Status] = Counter()  # students by outcome
        self._lock = threading.RLock()
        self._start = self._last_line = monotonic()
        self._last_page = 0.0
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
            self._running.add(student)
            self._show()

    def ended(self, student: str, outcome: Outcome, *, again: bool) -> None:
        """Note the outcome; `again` means that an earlier run produced it."""
        with self._lock:
            self._running.discard(student)
            entry = self._entries.setdefault(student, Entry(student))
            spent = outcome.spent
            entry.seconds, entry.cpu_seconds = spent.seconds, spent.cpu_seconds
            entry.again = again
            self._end(entry, outcome.status, " ".join(outcome.reasons))
            self._event_of(entry, worker=spent.worker)
            self._show()

    def not_graded(self, student: str, why: str) -> None:
        """Note that the grader failed to grade a student; this replaces an earlier outcome."""
        with self._lock:
            entry = self._entries.setdefault(student, Entry(student))
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
            for entry in self._entries.values():
                if not entry.saved and entry.end is not Status.NOT_GRADED:
                    ended = entry.end is not None
                    why = "its scores were not saved" if ended else "the run ended before its turn"
                    self._end(entry, Status.NOT_GRADED, why)
            left = self.counts[Status.NOT_GRADED]
            self._write_line(event="end", **{str(end): self.counts[end] for end in Status})
            self._write_page()
            table = self.table()
            if left:
                table += f"\n{left} not graded. To grade the rest: {how_to_go_on}"
            self._log.log(logging.WARNING if left else logging.INFO, table)

    def _end(self, entry: Entry, end: Status, why: str) -> None:
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
        """Return the outcome of the class as lines of text."""
        minutes, seconds = divmod(round(monotonic() - self._start), 60)
        first = f"{self._assignment}: {in_words(self.counts)}; {minutes} min {seconds} s"
        if again := sum(entry.again for entry in self._entries.values()):
            first += f"; {again} from an earlier run"
        return "\n".join([first, *table(list(self._entries.values()))])

    def _show(self) -> None:
        """Update the bar, or log a line now and then; write the page every few seconds."""
        failed = self.counts[Status.SUBMISSION_FAILED] + self.counts[Status.NOT_GRADED]
        if self._bar is not None:
            running = min(len(self._running), self.at_once)
            self._bar.set_postfix(running=running, failed=failed, refresh=False)
        now = monotonic()
        done = self.counts.total()
        if self._bar is None and now - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line = now
            rate = done / (now - self._start)
            left = (len(self._entries) - done) / rate if rate else float("nan")
            self._log.info(
                f"{done} of {len(self._entries)} done, "
                f"{min(len(self._running), self.at_once)} running, "
                f"{failed} failed, {60 * rate:.0f} a minute, {left / 60:.0f} min left"
            )
        if now - self._last_page > _SECONDS_BETWEEN_PAGES:
            self._write_page()

    def _event_of(self, entry: Entry, **more: Any) -> None:
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

    def page(self) -> str:
        """Return the HTML page."""
        what = self._entries.values(), self._running, self.counts
        return page(self._assignment, *what, going_on=not self.closed)

    # -- the files; grading goes on if they cannot be written

    def _write_line(self, **what: Any) -> None:
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), **what})
        with self._writing():
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{self._assignment}.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")

    def _write_page(self) -> None:
        self._last_page = monotonic()
        file, text = self._folder / f"{self._assignment}.html", self.page()
        with self._writing():
            write_whole(file, text.encode(errors="replace"))

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
