"""The progress and outcome of a run over a class, as lines of text and as an HTML page."""

import base64
import functools
import hashlib
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Template
from markupsafe import Markup

from hw_grading.outcome import Status
from hw_grading.pages.templates import templates_in
from hw_grading.records.graded_notebook import plain

_MOST_SLOW = 5  # submissions in the list of the slowest
_LONGEST_REASON = 300  # characters
_HERE = Path(__file__).parent
# Classes of the page's style sheet, and the order of the page's rows. None: no outcome yet.
_MARKS = {Status.NOT_GRADED: "alarm", Status.SUBMISSION_FAILED: "waits"}
_ORDER = {Status.NOT_GRADED: 0, Status.SUBMISSION_FAILED: 1, None: 2, Status.GRADED: 3}


@dataclass
class Entry:
    """What a run knows of one student."""

    student: str
    end: Status | None = None  # None if there is no outcome yet
    why: str = ""  # the reasons for the outcome
    seconds: float = 0.0  # on the clock
    cpu_seconds: float = 0.0
    again: bool = False  # whether an earlier run produced the result
    saved: bool = False  # whether the scores are in the gradebook


def in_words(counts: Mapping[Status, int]) -> str:
    """Return how many students have each outcome."""
    return ", ".join(f"{end} {counts[end]}" for end in Status)


def table(entries: Sequence[Entry]) -> list[str]:
    """Return lines of text: failures with their reasons, and the slowest submissions."""
    lines = []
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
    return lines


def page(
    assignment: str,
    entries: Collection[Entry],
    running: Collection[str],
    counts: Mapping[Status, int],
    *,
    going_on: bool,
) -> str:
    """Return the HTML page. It loads no other file, and reloads itself while the run goes on."""
    text: str = _page().render(
        assignment=assignment,
        entries=sorted(entries, key=lambda e: (_ORDER[e.end], e.student)),
        running=running,
        counts=in_words(counts),
        done=sum(counts.values()),
        going_on=going_on,
        now=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
    )
    return text


@functools.cache
def _page() -> Template:
    reload = (_HERE / "reload.js").read_text(encoding="utf-8")
    always = {
        "reload": Markup(reload),
        "digest": base64.b64encode(hashlib.sha256(reload.encode()).digest()).decode(),
        "mark_of": _MARKS,
        "plain": plain,
        "longest": _LONGEST_REASON,
    }
    return templates_in(_HERE).get_template("progress.html.j2", globals=always)
