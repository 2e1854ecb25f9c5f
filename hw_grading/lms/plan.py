"""Decides which of the found submissions to collect, and shows it; nothing is written here."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from hw_grading.gradebook.folders import TIMESTAMP, read_time
from hw_grading.gradebook.writing import aligned
from hw_grading.homework.course import Course
from hw_grading.lms.records import Record
from hw_grading.lms.roster import Match, Person, Roster, folded
from hw_grading.lms.uploads import Found, LeftOut
from hw_support.failures import visible
from hw_support.submission.file import MAX_BYTES, Unreadable, notebook_of, read_regular_file
from hw_support.submission.problems import quoted

OLDER = "Duplicates: the newest file of each student is used"
LEFT_OUT = "LEFT OUT"
UNKNOWN = "UNKNOWN: left out, because their students are not known"
BY_NAME = "KNOWN BY NAME ONLY: left out"
TAKEN = "KNOWN BY NAME ONLY: taken. Compare them with the platform"
NO_TIME = "LATE without a time: to take off points, write the time (UTC) into this file"
DAMAGED = "CANNOT BE GRADED: ask these students to submit again"
MISSING = "Missing: no submission"
SECTIONS = (OLDER, LEFT_OUT, UNKNOWN, BY_NAME, TAKEN, NO_TIME, DAMAGED, MISSING)
NEW, REPLACES, THERE = "new", "replaces an older one", "already there"
_MAX_PATH = 120  # characters
_HEADS = ("student", "name", "handed in", "late", "state", "from")
_HOW_TO_KNOW = (
    "A student can take another's name. So give what the platform knows: --canvas-gradebook or",
    "--moodle-worksheet. To take these files as their names say: --accept-names",
)


@dataclass(frozen=True)
class Entry:
    """One student's submission."""

    person: Person
    found: Found
    by_name: bool
    sha256: str  # of the notebook, hexadecimal
    state: str  # `NEW`, `REPLACES` or `THERE`
    late_by: timedelta | None  # after the student's due date; None if on time, or if not known

    @property
    def is_late(self) -> bool | None:
        """Whether it was late, by its time or as the platform says; None if unknown."""
        if self.found.named.when is None:
            return self.found.named.late
        return bool(self.late_by) or bool(self.found.named.late)

    @property
    def record(self) -> Record:
        """What to remember of it."""
        found, when = self.found, self.found.named.when
        return Record(
            file=found.file,
            platform=found.platform,
            named=found.who.said,
            sha256=self.sha256,
            handed_in=when.astimezone(UTC).isoformat() if when else None,
            late=self.is_late,
            attempt=found.named.attempt,
            account=found.who.account,
            by_name=self.by_name,
        )


@dataclass(frozen=True)
class Plan:
    """What to write and what not."""

    homework: str
    due: datetime | None
    entries: list[Entry] = field(default_factory=list)  # by student id
    # What else to tell, by `SECTIONS`: files or students, and why
    sections: dict[str, list[LeftOut]] = field(default_factory=lambda: {s: [] for s in SECTIONS})

    @property
    def left_out(self) -> int:
        """The number of files that are not collected, although they may count."""
        return sum(len(self.sections[name]) for name in (LEFT_OUT, UNKNOWN, BY_NAME))

    @property
    def to_write(self) -> list[Entry]:
        """The submissions that `submitted/` lacks."""
        return [entry for entry in self.entries if entry.state != THERE]


def decide(
    plan: Plan,
    course: Course,
    roster: Roster,
    found: Sequence[Found],
    collected: Mapping[str, Record],
    extended: Mapping[str, datetime],
    accept_names: bool,
) -> None:
    """Decide what to collect, into a new plan; `collected` and `extended` are by student id."""
    of: defaultdict[Person, list[tuple[Found, Match]]] = defaultdict(list)
    for one in found:
        try:
            match = roster.find(one.who)
        except Unreadable as why:
            plan.sections[UNKNOWN].append(LeftOut(one.file, f"{one.who.said}: {why}"))
            continue
        if match.by_name and not accept_names:
            plan.sections[BY_NAME].append(LeftOut(one.file, f"perhaps of {match.person.id}"))
        else:
            of[match.person].append((one, match))
    for person, pairs in sorted(of.items(), key=lambda pair: pair[0].id):
        sure = [one for one, match in pairs if not match.by_name]
        files = sure or [one for one, _ in pairs]
        why_not = f"only its name is {person.id}'s, who has another file"
        plan.sections[LEFT_OUT].extend(
            LeftOut(one.file, why_not) for one, _ in pairs if one not in files
        )
        before = collected.get(person.id)
        try:
            newest, content = _newest(person.id, files)
            sha256 = hashlib.sha256(content).hexdigest()
            where = course.submitted(person.id, plan.homework)
            state = _state(where, plan.homework, newest, not sure, sha256, before)
        except (Unreadable, OSError) as why:
            plan.sections[LEFT_OUT].extend(LeftOut(one.file, str(why)) for one in files)
            continue
        why_not = f"{person.id} has a newer one, {newest.file}"
        plan.sections[OLDER].extend(
            LeftOut(one.file, why_not) for one in files if one is not newest
        )
        was_sure = state == THERE and before is not None and not before.by_name
        late_by = _late_by(newest.named.when, extended.get(person.id, plan.due))
        entry = Entry(person, newest, not sure and not was_sure, sha256, state, late_by)
        plan.entries.append(entry)
        if entry.by_name:
            plan.sections[TAKEN].append(LeftOut(person.id, newest.who.said))
        if entry.is_late and not entry.late_by:
            plan.sections[NO_TIME].append(LeftOut(person.id, str(where / TIMESTAMP)))
        if trouble := _trouble(content):
            plan.sections[DAMAGED].append(LeftOut(person.id, trouble))
    taken = {entry.person for entry in plan.entries}
    for person in roster.people:
        folder = course.submitted(person.id, plan.homework)
        if person not in taken and not os.path.lexists(folder):
            plan.sections[MISSING].append(LeftOut(person.id, person.name))


def _newest(student: str, found: list[Found]) -> tuple[Found, bytes]:
    """Return a student's newest file and its content, or raise `Unreadable`."""
    first: dict[str, str] = {}
    for one in found:
        account = one.who.account
        other = first.setdefault(one.platform, account) or account
        if account and folded(account) != folded(other):
            raise Unreadable(
                f"{student} has files from {quoted(other)} and {quoted(account)}. Find out whose "
                "they are, and correct the wrong sid, email or name there"
            )
    names = [one.named for one in found]
    if all(named.when for named in names):
        latest = max(named.when for named in names if named.when)
        found = [one for one in found if one.named.when == latest]
    elif all(named.attempt for named in names) and len({one.platform for one in found}) == 1:
        last = max(named.attempt for named in names)
        found = [one for one in found if one.named.attempt == last]
    content = found[0].read()
    if any(one.read() != content for one in found[1:]):
        raise Unreadable(
            f"{student} has {len(found)} files, and it is not clear which is the newest. Keep "
            "only the one that counts"
        )
    return found[0], content


def _state(
    where: Path, homework: str, found: Found, by_name: bool, sha256: str, before: Record | None
) -> str:
    """Return what a file is to ``submitted/``; `Unreadable` if that may have a newer one."""
    for place in (where, where.parent):
        if place.is_symlink() or (os.path.lexists(place) and not place.is_dir()):
            raise Unreadable(f"{place} is a link or a file. Replace it with a folder")
    notebook = where / f"{homework}.ipynb"
    if not os.path.lexists(notebook):
        return NEW
    there = hashlib.sha256(read_regular_file(notebook, MAX_BYTES)).hexdigest()
    kept = f"the submission in {where} is kept"
    todo = f"If this file should count, remove {where} and collect again"
    is_same_platform = before is not None and before.platform == found.platform
    account, known = found.who.account, before.account if before and is_same_platform else ""
    if known and account and folded(known) != folded(account):  # names can be chosen
        raise Unreadable(
            f"{kept}: it is from {quoted(known)}, and this one is from {quoted(account)}. Find out "
            f"whose this file is. {todo}"
        )
    handed_in, when = read_time(where), found.named.when
    when = when.astimezone(UTC).replace(tzinfo=None) if when else None
    if there == sha256 and when in (None, handed_in):
        return THERE
    if by_name and before and not before.by_name:
        raise Unreadable(f"{kept}: it is known by more than a name. {todo}")
    if when and handed_in and when <= handed_in:
        raise Unreadable(f"{kept}: it is newer ({handed_in} UTC)")
    if when and (handed_in or there == sha256):
        return REPLACES
    if before and there == before.sha256 and is_same_platform and found.named.attempt:
        if found.named.attempt > before.attempt > 0:
            return REPLACES
        raise Unreadable(f"{kept}: it is newer")
    raise Unreadable(f"{kept}: it is not clear whether this file is newer. {todo}")


def _late_by(when: datetime | None, due: datetime | None) -> timedelta | None:
    moment = when.replace(microsecond=0) if when else None  # as `lateness` counts
    return moment - due if moment and due and moment > due else None


def _trouble(content: bytes) -> str:
    try:
        notebook_of(content)
    except Unreadable as why:
        return str(why)
    return ""


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
    for name, files in plan.sections.items():
        lines += ["", f"{name} ({len(files)}):"] if files else []
        for one in files:
            text = ": ".join(filter(None, (_shortened(one.file), one.why)))
            lines.append(f"  {' '.join(text.split())}")
        lines += _HOW_TO_KNOW if files and name == BY_NAME else ()
    counts = [
        f"{len(plan.to_write)} to write",
        f"{len(plan.entries) - len(plan.to_write)} already there",
        f"{sum(bool(entry.is_late) for entry in plan.entries)} late",
        f"{len(plan.sections[MISSING])} missing",
        f"{plan.left_out} left out",
    ]
    return visible("\n".join([*lines, "", ", ".join(counts)]))


def _shortened(path: str) -> str:
    return path if len(path) <= _MAX_PATH else f"…{path[1 - _MAX_PATH :]}"


def _row(entry: Entry, zone: tzinfo, download: str) -> tuple[str, ...]:
    """Return a row of the table; `download` is the beginning that all files share."""
    found = entry.found
    when = _moment(found.named.when, zone) if found.named.when else "-"
    late = "-" if entry.is_late is None else f"LATE, says {found.platform}" if entry.is_late else ""
    late = _span(entry.late_by) if entry.late_by else late
    state = f"{entry.state}{', by name only' if entry.by_name else ''}"
    name = entry.person.name or found.who.said
    file = _shortened(found.file.removeprefix(download))
    row = (entry.person.id, name, when, late, state, file)
    return tuple(" ".join(value.split()) for value in row)


def _moment(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def _span(time: timedelta) -> str:
    """Return a time such as "2 d 03:04 h", rounded up to minutes."""
    minutes = -(-int(time.total_seconds() * 1000) // 60_000)
    days, minutes = divmod(max(minutes, 1), 24 * 60)
    clock = f"{minutes // 60:02d}:{minutes % 60:02d} h"
    return f"{days} d {clock}" if days else clock
