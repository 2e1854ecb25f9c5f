"""Progress and outcome of a run over a class: a bar, lines, a table, JSON lines, a page.

On a terminal there is one bar, and messages below WARNING are hidden, since they would disturb it.
Elsewhere a plain line appears now and then. JSON lines and the page are always written to a folder.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import json
import logging
import os
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

from hw_grading.outcome import Outcome, Status
from hw_grading.pages import STYLE
from hw_grading.records.graded_notebook import plain

_SECONDS_BETWEEN_LINES = 15.0
_SECONDS_BETWEEN_PAGES = 3.0
_MOST_SLOW = 5
_LONGEST_REASON = 300
# The reader can turn off the page's automatic reload; the address stores that choice.
_RELOAD = """
const again = document.getElementById("again");
again.checked = location.hash !== "#still";
again.onchange = () => { location.hash = again.checked ? "" : "still"; };
setInterval(() => { if (again.checked) location.reload(); }, 5000);
"""
_RELOAD_DIGEST = base64.b64encode(hashlib.sha256(_RELOAD.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_RELOAD_DIGEST}'"
_BAR = "{desc}: {n_fmt} of {total_fmt} |{bar}| {remaining} left, {rate_fmt}{postfix}"


@dataclass
class Entry:
    """One student's line."""

    student: str
    end: Status | None = None
    why: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    again: bool = False
    saved: bool = False


class Progress:
    """The progress of a run. Any thread may call its methods.

    Parameters
    ----------
    students
        The students that the run has to grade.
    folder
        The folder for ``<assignment>.jsonl`` and ``<assignment>.html``.
    assignment
        Such as ``"ps1"``.
    log
        The log for messages.
    stream
        The terminal. If it is none, plain lines go to `log` instead of a bar.
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
        self._folder, self._assignment, self._log = folder, assignment, log
        self._running: set[str] = set()
        self._counts: Counter[Status] = Counter()
        self._lock = threading.RLock()
        self._start = self._last_line = monotonic()
        self._last_page = 0.0
        self._closing = contextlib.ExitStack()
        self._bar: tqdm[Any] | None = None
        self._files_are_written = True
        self.closed = False
        self.at_once = 1  # how many run at a time: further submitted ones wait in the queue
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
            self._event(event="begin", students=len(students))

    # -- what happens

    def began(self, student: str) -> None:
        """Note that a submission is being run."""
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
        """Note that the grader failed with a student; this replaces an earlier outcome."""
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
        """End the bar, and show the table.

        Parameters
        ----------
        how_to_go_on
            The command that grades the students who are left ungraded.
        """
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
            left = self.count(Status.NOT_GRADED)
            self._event(event="end", **{str(end): self.count(end) for end in Status})
            self._write_page()
            table = self.table()
            if left:
                table += f"\n{left} not graded. To grade the rest: {how_to_go_on}"
                self._log.warning(table)
            else:
                self._log.info(table)

    def _end(self, entry: Entry, end: Status, why: str) -> None:
        if entry.end is not None:
            self._counts[entry.end] -= 1
        elif self._bar is not None:
            # This may be a student who was not in the list at the beginning.
            self._bar.total = max(self._bar.total, len(self._entries))
            self._bar.update()
        self._counts[end] += 1
        entry.end, entry.why = end, why

    # -- what is shown

    def count(self, end: Status) -> int:
        """Return how many students have this outcome."""
        return self._counts[end]

    def table(self) -> str:
        """Return the outcome of the class as lines of text."""
        entries = list(self._entries.values())
        minutes, seconds = divmod(round(monotonic() - self._start), 60)
        counts = ", ".join(f"{end} {self.count(end)}" for end in Status)
        again = sum(entry.again for entry in entries)
        lines = [f"{self._assignment}: {counts}; {minutes} min {seconds} s"]
        if again:
            lines[0] += f"; {again} from an earlier run"
        for end in (Status.SUBMISSION_FAILED, Status.NOT_GRADED):
            ended = [entry for entry in entries if entry.end is end]
            lines += [f"  {str(end).upper()}"] if ended else []
            lines += [f"    {plain(e.student, 40)}: {plain(e.why, _LONGEST_REASON)}" for e in ended]
        ran = [entry for entry in entries if entry.seconds and not entry.again]
        slow = sorted(ran, key=lambda entry: -entry.seconds)[:_MOST_SLOW]
        if slow:
            median = statistics.median(entry.seconds for entry in ran)
            lines.append(f"  SLOWEST (the median took {median:.1f} s)")
            lines += [
                f"    {plain(entry.student, 40)}: {entry.seconds:.1f} s "
                f"({entry.cpu_seconds:.1f} s of CPU time)"
                for entry in slow
            ]
        return "\n".join(lines)

    def _show(self) -> None:
        failed = self.count(Status.SUBMISSION_FAILED) + self.count(Status.NOT_GRADED)
        if self._bar is not None:
            running = min(len(self._running), self.at_once)
            self._bar.set_postfix(running=running, failed=failed, refresh=False)
        now = monotonic()
        done = self._counts.total()
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
        self._event(
            event="student",
            student=entry.student,
            end=entry.end,
            why=entry.why,
            seconds=round(entry.seconds, 2),
            cpu_seconds=round(entry.cpu_seconds, 2),
            again=entry.again,
            **more,
        )

    def _event(self, **what: Any) -> None:
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), **what})
        with self._writing():
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{self._assignment}.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")

    def _write_page(self) -> None:
        self._last_page = monotonic()
        with self._writing():
            part = self._folder / f"{self._assignment}.html.part"
            part.write_text(self.page(), encoding="utf-8", errors="replace")
            os.replace(part, part.with_suffix(""))

    @contextlib.contextmanager
    def _writing(self) -> Any:
        """Let grading go on if these files cannot be written; tell the instructor once."""
        try:
            yield
        except OSError as error:
            if self._files_are_written:
                self._files_are_written = False
                self.trouble(
                    f"The progress of grading cannot be written to {self._folder}: {error}"
                )

    def page(self) -> str:
        """Return the HTML page. It is self-contained, and has one script while the run goes on."""
        style = STYLE.read_text(encoding="utf-8")
        name = html.escape(self._assignment)
        done = self._counts.total()
        counts = ", ".join(f"{end} {self.count(end)}" for end in Status)
        reload, script = "", ""
        if not self.closed:
            reload = '<p><label><input type="checkbox" id="again"> reload every 5 s</label></p>'
            script = f"<script>{_RELOAD}</script>"
        state = "" if self.closed else f"{done} of {len(self._entries)} done; "
        order = {Status.NOT_GRADED: 0, Status.SUBMISSION_FAILED: 1, None: 2, Status.GRADED: 3}
        entries = sorted(self._entries.values(), key=lambda e: (order[e.end], e.student))
        rows = "\n".join(self._row(entry) for entry in entries)
        return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{name}: grading</title><style>{style}</style></head>
<body class="plain"><header><h1>{name}: grading</h1><p>{state}{counts}.
As of {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC.</p>
<p><progress max="{len(self._entries)}" value="{done}" aria-label="done">{done}</progress></p>
{reload}</header><main><table><thead><tr><th scope="col">student</th><th scope="col">outcome</th>
<th scope="col" class="number">seconds</th><th scope="col" class="number">CPU seconds</th>
<th scope="col">why</th></tr></thead>
<tbody>
{rows}
</tbody></table></main>{script}</body></html>
"""

    def _row(self, entry: Entry) -> str:
        running = "running" if entry.student in self._running else "waiting"
        end = str(entry.end or running) + (" (earlier run)" if entry.again else "")
        marked = "alarm" if entry.end is Status.NOT_GRADED else ""
        marked = "waits" if entry.end is Status.SUBMISSION_FAILED else marked
        spent = (entry.seconds, entry.cpu_seconds)
        numbers = "".join(f'<td class="number">{s:.1f}</td>' if s else "<td></td>" for s in spent)
        student = html.escape(plain(entry.student, 200))
        why = html.escape(plain(entry.why, _LONGEST_REASON))
        return (
            f'<tr><th scope="row"><bdi>{student}</bdi></th>'
            f'<td class="end {marked}">{end}</td>{numbers}<td>{why}</td></tr>'
        )


@contextlib.contextmanager
def _only_warnings(logger: logging.Logger) -> Any:
    """Hide messages below WARNING, because the terminal shows a bar."""

    def is_warning(record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return False
        return not record.getMessage().startswith("Removing existing")  # expected with --force

    logger.addFilter(is_warning)
    try:
        yield
    finally:
        logger.removeFilter(is_warning)
