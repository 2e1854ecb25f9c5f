"""Shows a plan as text, before anything is written."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from hw_grading.gradebook.writing import aligned
from hw_grading.term.decide import Entry, Plan
from hw_grading.term.found import LeftOut
from hw_support.failures import visible

_LONGEST = 120  # characters of a path
_HEADS = ("student", "name", "handed in", "late", "state", "from")


def plan_in_words(plan: Plan, zone: tzinfo) -> str:
    """Return a plan as text, with times in a time zone."""
    due = f", due {_moment(plan.due, zone)}" if plan.due else ", without a due date"
    lines = [f"{plan.homework}{due}", ""]
    if plan.entries:
        begins = {"".join(entry.found.file.partition(": ")[:2]) for entry in plan.entries}
        download = begins.pop() if len(begins) == 1 and len(plan.entries) > 1 else ""
        lines += [f"from {download.removesuffix(': ')}", ""] if download else []
        lines += aligned([_HEADS, *(_row(entry, zone, download) for entry in plan.entries)])
    else:
        lines.append("These downloads have no submission that can be collected.")
    for head, files in (
        ("Duplicates: the newest file of each student is used", plan.older),
        ("LEFT OUT", plan.left_out),
        ("UNKNOWN: left out, because their students are not known", plan.unknown),
    ):
        lines += _section(head, [_file(file) for file in files])
    if late := [entry.person.id for entry in plan.entries if entry.is_late and not entry.late_by]:
        where = f"submitted/{late[0]}/{plan.homework}/timestamp.txt"
        lines += [
            "",
            "The platform marks submissions as late but gives no time, so they lose no points.",
            f"To count one as late, write its time, such as 2022-10-05 08:00:00 UTC, into {where},",
            "before you grade.",
        ]
    damaged = [f"{entry.person.id}: {entry.trouble}" for entry in plan.entries if entry.trouble]
    lines += _section("CANNOT BE GRADED: ask these students to submit again", damaged)
    names = [f"{p.id}  {p.name}".rstrip() for p in plan.missing]
    lines += _section("Missing: no submission", names)
    lines += _section("Fix in the list of students", plan.complaints)
    counts = [
        f"{len(plan.to_write)} to write",
        f"{len(plan.entries) - len(plan.to_write)} already there",
        f"{sum(bool(entry.is_late) for entry in plan.entries)} late",
        f"{len(plan.missing)} missing",
        f"{len(plan.left_out) + len(plan.unknown)} left out",
    ]
    return visible("\n".join([*lines, "", ", ".join(counts)]))


def files_in_words(files: Sequence[LeftOut]) -> str:
    """Return a line for each file that was left out."""
    return visible("\n".join(f"  {_file(file)}" for file in files))


def _section(head: str, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield from ("", f"{head} ({len(texts)}):")
        yield from (f"  {' '.join(text.split())}" for text in texts)


def _file(left_out: LeftOut) -> str:
    return f"{_shortened(left_out.file)}: {left_out.why}"


def _shortened(path: str) -> str:
    return path if len(path) <= _LONGEST else f"…{path[1 - _LONGEST :]}"


def _row(entry: Entry, zone: tzinfo, download: str) -> tuple[str, ...]:
    """Return a row of the table; `download` is the beginning that all files share."""
    found = entry.found
    when = _moment(found.when, zone) if found.when else "-"
    if entry.late_by:
        late = _span(entry.late_by)
    elif entry.is_late:
        late = f"LATE, says {found.platform}"
    else:
        late = "-" if entry.is_late is None else ""
    name = entry.person.name or found.who.said
    file = _shortened(found.file.removeprefix(download))
    row = (entry.person.id, name, when, late, str(entry.action), file)
    return tuple(" ".join(value.split()) for value in row)


def _moment(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def _span(time: timedelta) -> str:
    """Return a time such as "2 d 03:04 h", rounded up to minutes."""
    minutes = -(-int(time.total_seconds() * 1000) // 60_000)
    days, minutes = divmod(max(minutes, 1), 24 * 60)
    clock = f"{minutes // 60:02d}:{minutes % 60:02d} h"
    return f"{days} d {clock}" if days else clock
