"""Sends points and pages of feedback to Canvas: what is missing there, and nothing twice.

Canvas itself is the record of what was sent. A command reads it, says what it would change, and
sends only if you ask for that. A change without an answer is not repeated: Canvas is read again,
and what is still missing is named. So the same command, typed again, goes on where it was.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hw_grading.gradebook.collected import read_collected
from hw_grading.gradebook.given import note_export, pages_of
from hw_grading.homework.course import Course
from hw_grading.lms.canvas import OnCanvas, Submission
from hw_grading.lms.export import grades_of, not_final, why_other_maximum
from hw_grading.lms.feedback_zip import by_reason, pages_now, why_not_current
from hw_grading.lms.roster import Roster, Unknown
from hw_grading.texts import aligned, counted, in_digits, named, say, typed
from hw_support.submission.file import MAX_BYTES, UserError, read_regular_file

KIND = "canvas-api"  # among the exports that are noted
_MAX_NAMED = 10  # students in one sentence
_MOST_FAILURES = 3  # one after the other
_NOT_SENT = "nothing was sent. To send it, type the same command with --send"
_AGAIN = "Type the same command again"


def _by_student(
    found: Iterable[Submission], roster: Roster, to_check: list[str]
) -> dict[str, Submission]:
    """Return the submission of each student, by Canvas' number or the SIS; say whose is unclear."""
    of_person, unknown = roster.match(found, lambda one: one.who)
    to_check += [f"{one.who.said}: {why}" for one, why in unknown if not isinstance(why, Unknown)]
    if strangers := [one.who.said for one, why in unknown if isinstance(why, Unknown)]:
        people = counted(len(strangers), "student")
        say(f"{people} on Canvas not in {roster.source}: {named(strangers, _MAX_NAMED)}")
    for person, those in of_person.items():
        if len(those) > 1:
            both = " and ".join(one.who.said for one in those)
            to_check.append(f"{person.id} is left out: Canvas has {both}")
    return {person.id: those[0] for person, those in of_person.items() if len(those) == 1}


def send_points(
    course: Course,
    assignment: str,
    *,
    roster: Path | None = None,
    students: Collection[str] = (),
    send: bool = False,
) -> list[str]:
    """Show whose points differ on Canvas, and with `send` send them; return what is left to do.

    Students without a score, and excused ones, keep what they have there. No `students` means all.
    Raises `Unavailable` or `UserError`.
    """
    grades = grades_of(course, assignment, roster, students)
    canvas = OnCanvas(course, assignment)
    kind, most = canvas.about.get("grading_type"), canvas.about.get("points_possible")
    if kind not in ("points", "percent"):
        raise UserError(f"the assignment shows grades as {kind}. In Canvas, display them as points")
    to_check = not_final(grades) + why_other_maximum(most, canvas.url, grades.results)
    scored = {who: one.result for who, one in grades.wanted.items() if one.is_scored}
    new = {who: float(in_digits(one.final)) for who, one in scored.items()}  # as they are sent
    there = _by_student(canvas.submissions(), grades.roster, to_check)
    changes = _changes(new, there)
    seen = "once you post the grades" if canvas.about.get("post_manually") else "at once"
    say(f"{canvas.url}: points of {counted(len(changes), 'student')} change, of {len(new)}.")
    if changes:
        rows = [(who, _shown(there[who].score), "→", _shown(new[who])) for who in changes]
        say("\n".join([*aligned(rows), f"Students see them {seen}."]))
    say("\n".join(grades.absent()) or "All others stay as they are.")
    if missing := sorted(set(new) - set(there)):
        to_check.append(f"with a score, but not on Canvas: {named(missing, _MAX_NAMED)}")
    if late := [who for who in new if who in there and there[who].deducted]:
        who = named(late, _MAX_NAMED)
        to_check.append(f"Canvas takes points for lateness too: switch that off there ({who})")
    if not send:
        return to_check + [_NOT_SENT] * bool(changes)
    if changes:
        try:
            canvas.api.give_points({there[who].user: in_digits(new[who]) for who in changes})
        except UserError as why:  # it may have been done
            say(str(why))
        now = {submission.user: submission for submission in canvas.submissions()}
        there = {who: now.get(one.user, one) for who, one in there.items()}
        left = _changes(new, there)
        say(f"Sent: {len(set(changes) - set(left))}.")
        if left:
            to_check.append(f"Canvas has other points of {named(left, _MAX_NAMED)}. {_AGAIN}")
    left = _changes(new, there)
    have = {who: one for who, one in scored.items() if who in there and who not in left}
    note_export(course, assignment, KIND, canvas.url, have)
    return to_check


def _changes(new: Mapping[str, float], there: Mapping[str, Submission]) -> list[str]:
    """Return the students whose points on Canvas are not the new ones; excused ones have none."""
    of = {who: there[who] for who in new if who in there and not there[who].excused}
    return [
        who for who, one in of.items() if one.score is None or abs(one.score - new[who]) >= 0.005
    ]


def _shown(points: float | None) -> str:
    return "-" if points is None else in_digits(points)


@dataclass(frozen=True)
class _Page:
    """A page of feedback, and where on Canvas it belongs."""

    student: str
    path: Path
    attempt: int
    comment: str  # by which the page is known there: it ends with the page's digest
    on_canvas: Submission

    @property
    def state(self) -> str:
        """Whether the attempt has an earlier page."""
        begin = self.comment.rpartition(" (")[0]
        is_there = any(text.startswith(f"{begin} (") for text in self.on_canvas.comments)
        return "changed" if is_there else "new"


def send_feedback(
    course: Course,
    assignment: str,
    *,
    roster: Path | None = None,
    students: Collection[str] = (),
    send: bool = False,
) -> list[str]:
    """Show which pages Canvas lacks, and with `send` send them; return what is left to do.

    A page is a file at a comment on the attempt that was graded. No `students` means all. Raises
    `Unavailable` or `UserError`.
    """
    canvas = OnCanvas(course, assignment)
    to_check = list[str]()
    pages = _pages_of(canvas, course, assignment, roster, students, to_check)
    new = [page for page in pages if page.comment not in page.on_canvas.comments]
    say(
        f"{canvas.url}: {counted(len(new), 'page')} to send, {len(pages) - len(new)} already there."
    )
    rows = [(page.student, f"attempt {page.attempt}", page.state) for page in new]
    say("\n".join(aligned(rows)) if rows else "All pages are there." if pages else "No page.")
    if not send or not new:
        return to_check + [_NOT_SENT] * bool(new)
    failures = 0
    for page in new:
        try:
            canvas.api.give_page(page.on_canvas.user, page.path, page.comment, page.attempt)
            failures = 0
        except UserError as why:
            say(f"{page.student}: {why}")
            failures += 1
        if failures == _MOST_FAILURES:
            break
    there = {
        submission.user: submission.comments
        for submission in canvas.submissions("submission_comments")
    }
    left = [p.student for p in new if p.comment not in there.get(p.on_canvas.user, ())]
    say(f"Sent: {len(new) - len(left)}.")
    if left:
        to_check.append(f"Canvas has no page of {named(left, _MAX_NAMED)}. {_AGAIN}")
    return to_check


def _pages_of(
    canvas: OnCanvas,
    course: Course,
    assignment: str,
    roster: Path | None,
    students: Collection[str],
    to_check: list[str],
) -> list[_Page]:
    """Return the pages that can be given; say whose cannot, and why."""
    grades = grades_of(course, assignment, roster, students)
    records = read_collected(course, assignment).students
    found = canvas.submissions("submission_comments", "submission_history")
    there = _by_student(found, grades.roster, to_check)
    why: defaultdict[str, list[str]] = defaultdict(list)  # who is left out, by the reason
    pages, newer = [], []
    for student, page in pages_now(grades.results).items():
        record, one = records.get(student), there.get(student)
        if student not in grades.wanted:
            continue
        if not_now := why_not_current(page, assignment, "--canvas"):
            why[not_now].append(student)
        elif one is None:
            why["not on Canvas"].append(student)
        elif not (attempt := one.attempts.get(record.attempt) if record else None):
            how = typed("hw-grading collect", assignment, "--canvas")
            why[f"no attempt on Canvas has the file that was graded: {how}"].append(student)
        else:
            [path] = pages_of(course, assignment, student)
            digest = hashlib.sha256(read_regular_file(path, MAX_BYTES)).hexdigest()[:12]
            comment = f"Feedback on {assignment}, attempt {attempt} ({digest})"
            pages.append(_Page(student, path, attempt, comment, one))
            newer += [student] if one.attempt > attempt else []
    to_check += by_reason(why, grades.wanted)
    if newer:
        to_check.append(f"a newer attempt is on Canvas: {named(newer, _MAX_NAMED)}. Collect again")
    return pages
