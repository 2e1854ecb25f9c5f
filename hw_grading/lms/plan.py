"""Decides which of the found submissions to collect, and shows it; keeps a record of what was.

``grading/collected/<homework>.json`` has a record for each student. Deciding writes nothing.
"""

import contextlib
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

from pydantic import TypeAdapter

from hw_grading.gradebook.folders import TIMESTAMP, read_time
from hw_grading.gradebook.writing import aligned, write_whole
from hw_grading.homework.course import Course
from hw_grading.lms.downloads import LeftOut, content_of
from hw_grading.lms.platforms import Found
from hw_grading.lms.roster import Match, Person, Roster, folded
from hw_support.failures import visible
from hw_support.submission.file import MAX_BYTES, UserError, notebook_of, read_regular_file
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
_MAX_RECORDS = 100_000_000  # bytes in the file
_HEADS = ("student", "name", "submitted", "late", "state", "from")
_HOW_TO_KNOW = (
    "A student can take another's name. So give what the platform knows: --canvas-gradebook or",
    "--moodle-worksheet. To take these files as their names say: --accept-names",
)


@dataclass(frozen=True)
class Record:
    """The submission of a student that was collected last."""

    file: str  # the download and the path in it
    platform: str
    sha256: str  # of the notebook, hexadecimal
    late: bool  # says the platform; False if it says nothing
    attempt: int  # grows with each upload; 0 if the platform gives no number
    account: str = ""  # on the platform, and nobody else's; "" if unknown
    by_name: bool = False  # nothing but a name says whose it is


@dataclass(frozen=True)
class Entry:
    """One student's submission."""

    person: Person
    found: Found
    record: Record  # what to remember of it
    state: str  # `NEW`, `REPLACES` or `THERE`


@dataclass(frozen=True)
class Plan:
    """What to write and what not."""

    homework: str
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
    course: Course,
    homework: str,
    roster: Roster,
    found: Sequence[Found],
    collected: Mapping[str, Record],
    accept_names: bool,
) -> Plan:
    """Decide which of the found files to collect; `collected` is by student id."""
    plan = Plan(homework)
    sections = plan.sections
    of: defaultdict[Person, list[tuple[Found, Match]]] = defaultdict(list)
    for one in found:
        try:
            match = roster.find(one.who)
        except UserError as why:
            sections[UNKNOWN].append((one.upload.file, f"{one.who.said}: {why}"))
            continue
        if match.by_name and not accept_names:
            sections[BY_NAME].append((one.upload.file, f"perhaps of {match.person.id}"))
        else:
            of[match.person].append((one, match))
    for person, pairs in sorted(of.items(), key=lambda pair: pair[0].id):
        sure = [one for one, match in pairs if not match.by_name]
        files = sure or [one for one, _ in pairs]
        why_not = f"only its name is {person.id}'s, who has another file"
        sections[LEFT_OUT] += [(f.upload.file, why_not) for f, _ in pairs if f not in files]
        where, before = course.submitted(person.id, homework), collected.get(person.id)
        try:
            newest, content = _newest(person.id, files, homework)
            sha256 = hashlib.sha256(content).hexdigest()
            state = _state(where, homework, newest, not sure, sha256, before)
        except (UserError, OSError) as why:
            sections[LEFT_OUT] += [(one.upload.file, str(why)) for one in files]
            continue
        why_not = f"{person.id} has a newer one, {newest.upload.file}"
        sections[OLDER] += [(one.upload.file, why_not) for one in files if one is not newest]
        was_sure = state == THERE and before is not None and not before.by_name
        record = Record(
            file=newest.upload.file,
            platform=newest.platform,
            sha256=sha256,
            late=newest.late,
            attempt=newest.attempt,
            account=newest.who.account,
            by_name=not sure and not was_sure,
        )
        plan.entries.append(Entry(person, newest, record, state))
        if record.by_name:
            sections[TAKEN].append((person.id, newest.who.said))
        if newest.late:
            sections[NO_TIME].append((person.id, str(where / TIMESTAMP)))
        try:
            notebook_of(content)
        except UserError as why:
            sections[DAMAGED].append((person.id, str(why)))
    taken = {entry.person for entry in plan.entries}
    for person in roster.people:
        folder = course.submitted(person.id, homework)
        if person not in taken and not os.path.lexists(folder):
            sections[MISSING].append((person.id, person.name))
    return plan


def _newest(student: str, found: list[Found], homework: str) -> tuple[Found, bytes]:
    """Return a student's newest file and its content, or raise `UserError`."""
    first: dict[str, str] = {}
    for one in found:
        account = one.who.account
        other = first.setdefault(one.platform, account) or account
        if account and folded(account) != folded(other):
            raise UserError(
                f"{student} has files from {quoted(other)} and {quoted(account)}. Find out whose "
                "they are, and correct the wrong sid, email or name there"
            )
    if all(one.when for one in found):
        latest = max(one.when for one in found if one.when)
        found = [one for one in found if one.when == latest]
    elif all(one.attempt for one in found) and len({one.platform for one in found}) == 1:
        last = max(one.attempt for one in found)
        found = [one for one in found if one.attempt == last]
    content = content_of(found[0], homework)
    if any(content_of(one, homework) != content for one in found[1:]):
        raise UserError(
            f"{student} has {len(found)} files, and it is not clear which is the newest. Keep "
            "only the one that counts"
        )
    return found[0], content


def _state(
    where: Path, homework: str, found: Found, by_name: bool, sha256: str, before: Record | None
) -> str:
    """Return what a file is to ``submitted/``; `UserError` if that may have a newer one."""
    for place in (where, where.parent):
        if place.is_symlink() or (os.path.lexists(place) and not place.is_dir()):
            raise UserError(f"{place} is a link or a file. Replace it with a folder")
    notebook = where / f"{homework}.ipynb"
    if not os.path.lexists(notebook):
        return NEW
    there = hashlib.sha256(read_regular_file(notebook, MAX_BYTES)).hexdigest()
    todo = f"If this file should count, remove {where} and collect again"
    known = before if before and before.platform == found.platform else None
    account, earlier = found.who.account, known.account if known else ""
    handed_in, when = read_time(where), found.when
    when = when.astimezone(UTC).replace(tzinfo=None) if when else None
    if earlier and account and folded(earlier) != folded(account):  # names can be chosen
        why = (
            f"it is from {quoted(earlier)}, and this one is from {quoted(account)}. Find out whose "
            f"this file is. {todo}"
        )
    elif there == sha256 and when in (None, handed_in):
        return THERE
    elif by_name and before and not before.by_name:
        why = f"it is known by more than a name. {todo}"
    elif when and handed_in and when <= handed_in:
        why = f"it is newer ({handed_in} UTC)"
    elif when and (handed_in or there == sha256):
        return REPLACES
    elif not (known and there == known.sha256 and found.attempt):
        why = f"it is not clear whether this file is newer. {todo}"
    elif found.attempt > known.attempt > 0:
        return REPLACES
    else:
        why = "it is newer"
    raise UserError(f"the submission in {where} is kept: {why}")


def plan_in_words(plan: Plan, zone: tzinfo) -> str:
    """Return a plan as text, with times in a time zone."""
    lines = [plan.homework, ""]
    if plan.entries:
        downloads = dict.fromkeys(entry.found.upload.download for entry in plan.entries)
        lines += [*(f"from {download}" for download in downloads), ""]
        lines += aligned([_HEADS, *(_row(entry, zone) for entry in plan.entries)])
    else:
        lines.append("These downloads have no submission that can be collected.")
    for name, files in plan.sections.items():
        lines += ["", f"{name} ({len(files)}):"] if files else []
        for file, why in files:
            text = ": ".join(filter(None, (_shortened(file), why)))
            lines.append(f"  {' '.join(text.split())}")
        lines += _HOW_TO_KNOW if files and name == BY_NAME else ()
    counts = [
        f"{len(plan.to_write)} to write",
        f"{len(plan.entries) - len(plan.to_write)} already there",
        f"{len(plan.sections[MISSING])} missing",
        f"{plan.left_out} left out",
    ]
    return visible("\n".join([*lines, "", ", ".join(counts)]))


def _shortened(path: str) -> str:
    return path if len(path) <= _MAX_PATH else f"…{path[1 - _MAX_PATH :]}"


def _row(entry: Entry, zone: tzinfo) -> tuple[str, ...]:
    found = entry.found
    when = f"{found.when.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}" if found.when else "-"
    late = f"LATE, says {found.platform}" if found.late else ""
    state = f"{entry.state}{', by name only' if entry.record.by_name else ''}"
    name = entry.person.name or found.who.said
    row = (entry.person.id, name, when, late, state, _shortened(found.upload.name))
    return tuple(" ".join(value.split()) for value in row)


# -- records


def read_records(course: Course, homework: str) -> dict[str, Record]:
    """Return what was collected, by student id; {} if nothing; raise `UserError` if damaged."""
    path = _path_of(course, homework)
    if not path.exists():
        return {}
    try:
        students = json.loads(read_regular_file(path, _MAX_RECORDS))["students"]
        return TypeAdapter(dict[str, Record]).validate_python(students)
    except (UserError, ValueError, KeyError, TypeError) as why:
        raise UserError(
            f"{path}: expected a file that `collect` wrote, found something else ({why}). Remove "
            "it, and collect again"
        ) from None


def write_records(course: Course, homework: str, records: dict[str, Record]) -> Path:
    """Write all records of a homework in one step, and return the file's path."""
    students = {student: asdict(records[student]) for student in sorted(records)}
    text = json.dumps({"homework": homework, "students": students}, indent=1, ensure_ascii=False)
    path = _path_of(course, homework)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, f"{text}\n".encode("utf-8", "replace"))
    return path


def known_by_name(course: Course, homework: str) -> list[str]:
    """Return the students of whose submissions nothing but a name says that they are theirs."""
    with contextlib.suppress(UserError):  # `collect` reports it
        records = read_records(course, homework)
        return [student for student, record in records.items() if record.by_name]
    return []


def _path_of(course: Course, homework: str) -> Path:
    return course.root / "grading" / "collected" / f"{homework}.json"
