"""Decides which of the found submissions to collect, and shows it; keeps a record of what was.

``grading/collected/<homework>.json`` has a record for each student. Deciding writes nothing.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, tzinfo
from pathlib import Path

from pydantic import TypeAdapter

from hw_grading.gradebook.folders import TIMESTAMP, read_time
from hw_grading.gradebook.writing import aligned, write_whole
from hw_grading.homework.course import Course
from hw_grading.lms.downloads import content_of
from hw_grading.lms.platforms import Found
from hw_grading.lms.roster import Person, Roster
from hw_grading.lms.tables import folded
from hw_support.failures import one_line
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
LeftOut = tuple[str, str]  # a file that is not collected, or a student, and why
NEW, REPLACES, THERE = "new", "replaces an older one", "already there"
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
    entries: list[Entry]  # by student id
    # What else to tell, by its heading: files or students, and why
    sections: dict[str, list[LeftOut]]

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
    left_out: Sequence[LeftOut],
    collected: Mapping[str, Record],
    accept_names: bool,
) -> Plan:
    """Decide which of the found files to collect; `collected` is by student id."""
    headings = (OLDER, LEFT_OUT, UNKNOWN, BY_NAME, TAKEN, NO_TIME, DAMAGED, MISSING)
    plan = Plan(homework, [], {heading: [] for heading in headings})
    sections = plan.sections
    sections[LEFT_OUT] += left_out
    matches = roster.match(found, lambda one: one.who, accept_names)
    sections[UNKNOWN] += [(f.upload.file, f"{f.who.said}: {why}") for f, why in matches.unknown]
    for person, files in matches.by_name.items() if not accept_names else ():
        sections[BY_NAME] += [(one.upload.file, f"perhaps of {person.id}") for one in files]
    for person, files in sorted(matches.of.items(), key=lambda pair: pair[0].id):
        where, by_name = course.submitted(person.id, homework), person in matches.by_name
        try:
            newest, content = _newest(person.id, files, homework)
            sha256 = hashlib.sha256(content).hexdigest()
            before = collected.get(person.id)
            state = _state(where, homework, newest, by_name, sha256, before)
        except (UserError, OSError) as why:
            sections[LEFT_OUT] += [(one.upload.file, str(why)) for one in files]
            continue
        why_not = f"{person.id} has a newer one, {newest.upload.file}"
        sections[OLDER] += [(one.upload.file, why_not) for one in files if one is not newest]
        is_sure = not by_name or (state == THERE and before is not None and not before.by_name)
        about = (newest.upload.file, newest.platform, sha256, newest.attempt, newest.who.account)
        plan.entries.append(Entry(person, newest, Record(*about, not is_sure), state))
        if not is_sure:
            sections[TAKEN].append((person.id, newest.who.said))
        if newest.late:
            sections[NO_TIME].append((person.id, str(where / TIMESTAMP)))
        try:
            notebook_of(content)
        except UserError as why:
            sections[DAMAGED].append((person.id, str(why)))
    there = {entry.person for entry in plan.entries}
    there |= {p for p in roster.people if os.path.lexists(course.submitted(p.id, homework))}
    sections[MISSING] += [(p.id, p.name) for p in roster.people if p not in there]
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
    elif all(one.attempt for one in found) and len(first) == 1:
        last = max(one.attempt for one in found)
        found = [one for one in found if one.attempt == last]
    content = content_of(found[0].upload, homework)
    if any(content_of(one.upload, homework) != content for one in found[1:]):
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
    known = before if before and before.platform == found.platform else None
    account, earlier = found.who.account, known.account if known else ""
    handed_in, when = read_time(where), found.when
    why = f"this file is not known to be newer. If it should count, remove {where}, and collect"
    if earlier and account and folded(earlier) != folded(account):  # names can be chosen
        why = f"it is from {quoted(earlier)}, and this one is from {quoted(account)}. {why}"
    elif there == sha256 and when in (None, handed_in):
        return THERE
    elif by_name and before and not before.by_name:
        why = f"it is known by more than a name. {why}"
    elif when and (handed_in or there == sha256):
        if not handed_in or handed_in < when:
            return REPLACES
        why = f"it is newer ({handed_in} UTC)"
    elif known and there == known.sha256 and found.attempt > known.attempt > 0:
        return REPLACES
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
    for heading, files in plan.sections.items():
        lines += ["", f"{heading} ({len(files)}):"] if files else []
        lines += [f"  {one_line(': '.join(filter(None, about)))}" for about in files]
        lines += _HOW_TO_KNOW if files and heading == BY_NAME else ()
    counts = [
        f"{len(plan.to_write)} to write",
        f"{len(plan.entries) - len(plan.to_write)} already there",
        f"{len(plan.sections[MISSING])} missing",
        f"{plan.left_out} left out",
    ]
    return "\n".join([*lines, "", ", ".join(counts)])


def _row(entry: Entry, zone: tzinfo) -> tuple[str, ...]:
    found = entry.found
    when = found.when.replace(tzinfo=UTC).astimezone(zone) if found.when else None
    late = f"LATE, says {found.platform}" if found.late else ""
    state = f"{entry.state}{', by name only' if entry.record.by_name else ''}"
    name = entry.person.name or found.who.said
    shown = f"{when:%Y-%m-%d %H:%M:%S %Z}" if when else "-"
    row = (entry.person.id, name, shown, late, state, found.upload.name)
    return tuple(map(one_line, row))


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
