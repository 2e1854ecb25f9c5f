"""Decides which of the found submissions to collect, and shows it. It writes nothing."""

import hashlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from hw_grading.gradebook.collected import Collected, CollectedRecord, LeftOut
from hw_grading.homework.course import Course
from hw_grading.homework.folders import TIMESTAMP, read_time
from hw_grading.lms.downloads import content_of
from hw_grading.lms.platforms import MOODLE, Found
from hw_grading.lms.roster import Person, Roster
from hw_grading.lms.tables import folded
from hw_grading.texts import aligned
from hw_support.checks.failures import one_line
from hw_support.submission.file import MAX_BYTES, UserError, notebook_of, read_regular_file
from hw_support.submission.problems import quoted

OLDER = "Duplicates: the newest file of each student is used"
LEFT_OUT = "LEFT OUT"
BESIDE = "Beside the notebook that counts, and not collected"
UNKNOWN = "UNKNOWN: left out, because their students are not known"
NO_TIME = "TIME NOT PROVEN, counts as on time: if it was late, write the time (UTC) into this file"
DAMAGED = "CANNOT BE GRADED: ask these students to submit again"
MISSING = "Missing: no submission"
REQUESTS = "Requests about points"
REFUSED = "REQUESTS REFUSED: tell these students"
# How late a submission of a student at a time (UTC) is, in words; "" if not late, or not known.
Late = Callable[[str, datetime | None], str]
Told = tuple[str, str]  # a file or a student, and what to know about it
NEW, REPLACES, THERE = "new", "replaces an older one", "already there"
_HEADS = ("student", "name", "submitted", "late", "state", "from")
_HOW_TO_KNOW = (
    "A name is no proof, since a student can take another's. Give what the platform knows:",
    "--canvas-gradebook or --moodle-worksheet. Or add its values to the list of students.",
)


@dataclass(frozen=True)
class Entry:
    """One student's submission."""

    person: Person
    found: Found
    record: CollectedRecord  # what to remember of it
    state: str  # `NEW`, `REPLACES` or `THERE`


@dataclass(frozen=True)
class Plan:
    """What to write and what not."""

    assignment: str
    entries: list[Entry]  # by student id
    # What else to tell, by its heading: files or students, and why
    sections: dict[str, list[Told]]
    platforms: dict[str, str]  # of the files in these downloads

    @property
    def left_out(self) -> list[LeftOut]:
        """The files that are not collected, although they may count."""
        told = [line for name in (LEFT_OUT, UNKNOWN) for line in self.sections[name]]
        others = next(iter(self.platforms.values()), "")
        return [LeftOut(file, why, self.platforms.get(file, others)) for file, why in told]

    @property
    def is_whole(self) -> bool:
        """Whether everything was taken."""
        return not (self.left_out or self.sections.get(REFUSED))

    def collected(self, before: Collected) -> Collected:
        """Return the records, with what these downloads left out in the place of what they did.

        Each download of a platform has the files of all students.
        """
        now = {*self.platforms.values()}
        kept = [one for one in before.left_out if one.platform not in now]
        return Collected(before.students, [*kept, *self.left_out])

    @property
    def to_write(self) -> list[Entry]:
        """The submissions that `submitted/` lacks."""
        return [entry for entry in self.entries if entry.state != THERE]


def decide(
    course: Course,
    assignment: str,
    roster: Roster,
    found: Sequence[Found],
    left_out: Sequence[Told],
    collected: Mapping[str, CollectedRecord],
    left: Collection[str] = (),
) -> Plan:
    """Decide which of the found files to collect; `collected` is by student id.

    The students in `left` left the course: nothing of theirs is missing.
    """
    headings = (OLDER, BESIDE, LEFT_OUT, UNKNOWN, NO_TIME, DAMAGED, MISSING)
    platforms = {one.upload.file: one.platform for one in found}
    plan = Plan(assignment, [], {heading: [] for heading in headings}, platforms)
    sections = plan.sections
    sections[LEFT_OUT] += left_out
    by_student, unknown = roster.match(found, lambda one: one.who)
    sections[UNKNOWN] += [(one.upload.file, f"{one.who.said}: {why}") for one, why in unknown]
    for person, files in sorted(by_student.items(), key=lambda pair: pair[0].id):
        where = course.submitted(person.id, assignment)
        try:
            newest, content, others = _newest(person.id, files, assignment)
            sha256 = hashlib.sha256(content).hexdigest()
            before = collected.get(person.id)
            state = _state(where, assignment, newest, sha256, before)
            handed_in = read_time(where) if state == THERE else None
        except (UserError, OSError) as why:
            sections[LEFT_OUT] += [(file.upload.file, str(why)) for file in files]
            continue
        why_not = f"{person.id} has a newer one, {newest.upload.file}"
        sections[OLDER] += [(file.upload.file, why_not) for file in files if file is not newest]
        record = _record(newest, sha256)
        if newest.asks and state == THERE:  # the same notebook, with a request, keeps its time
            newest = replace(newest, when=handed_in, late=False)
            record = replace(record, in_time=bool(before and before.in_time))
        if beside := [*newest.beside, *others]:
            sections[BESIDE].append((newest.upload.file, ", ".join(map(quoted, beside))))
        plan.entries.append(Entry(person, newest, record, state))
        if newest.why_no_time and not (state == THERE and _time_there(where)):
            about = f"{newest.why_no_time}: {where / TIMESTAMP}"
            sections[NO_TIME].append((person.id, about))
        try:
            notebook_of(content)
        except UserError as why:
            sections[DAMAGED].append((person.id, str(why)))
    there = {entry.person for entry in plan.entries}
    there |= {p for p in roster.people if os.path.lexists(course.submitted(p.id, assignment))}
    missing = (p for p in roster.people if p not in there and p.id not in left)
    sections[MISSING] += [(p.id, p.name) for p in missing]
    return plan


def _record(found: Found, sha256: str) -> CollectedRecord:
    return CollectedRecord(
        file=found.upload.file,
        platform=found.platform,
        sha256=sha256,
        attempt=found.attempt,
        account=found.who.account,
        name=found.upload.name,
        keys=found.who.keys,
        in_time=found.when is None and not found.why_no_time,
    )


def _newest(student: str, found: list[Found], assignment: str) -> tuple[Found, bytes, list[str]]:
    """Return a student's newest file, its notebook and the other ones in it; or `UserError`."""
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
    content, others = content_of(found[0].upload, assignment)
    if any(content_of(one.upload, assignment)[0] != content for one in found[1:]):
        how = "Keep only the one that counts"
        if {one.platform for one in found} == {MOODLE.name}:
            how = (
                "Give each download the worksheet that you downloaded with it, in the same order: "
                "--moodle-worksheet OLDER.csv --moodle-worksheet NEWER.csv"
            )
        raise UserError(
            f"{student} has {len(found)} files, and it is not clear which is the newest. {how}"
        )
    return found[0], content, others


def _state(
    where: Path, assignment: str, found: Found, sha256: str, before: CollectedRecord | None
) -> str:
    """Return what a file is to ``submitted/``; `UserError` if that may have a newer one."""
    for place in (where, where.parent):
        if place.is_symlink() or (os.path.lexists(place) and not place.is_dir()):
            raise UserError(f"{place} is a link or a file. Replace it with a folder")
    notebook = where / f"{assignment}.ipynb"
    if not os.path.lexists(notebook):
        return NEW
    there = hashlib.sha256(read_regular_file(notebook, MAX_BYTES)).hexdigest()
    known = before if before and before.platform == found.platform else None
    account, earlier = found.who.account, known.account if known else ""
    handed_in, when = read_time(where), found.when
    of_time = f" ({found.why_no_time})" if found.why_no_time else ""
    why = f"this file is not known to be newer{of_time}. If it should count all the same, remove "
    why += f"{where}, and collect"
    if earlier and account and folded(earlier) != folded(account):  # names can be chosen
        why = f"it is from {quoted(earlier)}, and this one is from {quoted(account)}. {why}"
    elif there == sha256 and (found.asks or when in (None, handed_in)):
        return THERE
    elif when and (handed_in or there == sha256):
        if not handed_in or handed_in < when:
            return REPLACES
        why = f"it is newer ({handed_in} UTC)"
    elif known and there == known.sha256 and found.attempt > known.attempt > 0:
        return REPLACES
    raise UserError(f"the submission in {where} is kept: {why}")


def _time_there(where: Path) -> bool:
    """Whether a time is in a submitted folder, which a platform or a person vouches for."""
    try:
        return read_time(where) is not None
    except UserError:
        return False


def plan_text(plan: Plan, zone: tzinfo, late: Late) -> str:
    """Return a plan as text, with times in a time zone; `late` says how late a file is."""
    lines = [plan.assignment, ""]
    if plan.entries:
        downloads = dict.fromkeys(entry.found.upload.download for entry in plan.entries)
        lines += [*(f"from {download}" for download in downloads), ""]
        lines += aligned([_HEADS, *(_row(entry, zone, late) for entry in plan.entries)])
    else:
        lines.append("These downloads have no submission that can be collected.")
    for heading, files in plan.sections.items():
        lines += ["", f"{heading} ({len(files)}):"] if files else []
        lines += [f"  {one_line(': '.join(filter(None, about)))}" for about in files]
        lines += _HOW_TO_KNOW if files and heading == UNKNOWN else ()
    counts = [
        f"{len(plan.to_write)} to write",
        f"{len(plan.entries) - len(plan.to_write)} already there",
        f"{len(plan.sections[MISSING])} missing",
        f"{len(plan.left_out)} left out",
    ]
    return "\n".join([*lines, "", ", ".join(counts)])


def _row(entry: Entry, zone: tzinfo, how_late: Late) -> tuple[str, ...]:
    found = entry.found
    when = found.when.replace(tzinfo=UTC).astimezone(zone) if found.when else None
    late = how_late(entry.person.id, found.when)
    late = late or (f"LATE, says {found.platform}" if found.late else "")
    name = entry.person.name or found.who.said
    shown = f"{when:%Y-%m-%d %H:%M:%S %Z}" if when else "-"
    row = (entry.person.id, name, shown, late, entry.state, found.upload.name)
    return tuple(map(one_line, row))
