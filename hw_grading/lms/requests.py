"""The requests in downloads: whose they are, by the one rule, and what is told of them."""

from collections.abc import Sequence
from datetime import datetime

from hw_grading.gradebook.requests import Sent, Taken, take
from hw_grading.homework.course import Course
from hw_grading.lms.plan import REFUSED, REQUESTS, Told
from hw_grading.lms.platforms import Found
from hw_grading.lms.roster import Roster
from hw_grading.mistakes.groups import answers_to_tests
from hw_grading.texts import counted, typed
from hw_support.submission.file import UserError


class Inbox:
    """The requests that students handed in."""

    def __init__(
        self, course: Course, assignment: str, roster: Roster, found: Sequence[Found]
    ) -> None:
        self._course, self._assignment = course, assignment
        self._refused: list[Told] = []
        self._sent: list[Sent] = []
        by_student, unknown = roster.match(found, lambda one: one.who)
        self._refused += [(one.upload.file, f"{one.who.said}: {why}") for one, why in unknown]
        for person, files in by_student.items():
            for one in sorted(files, key=_in_time):
                try:
                    content = one.upload.read()
                except (UserError, OSError) as why:
                    self._refused.append((one.upload.file, str(why)))
                else:
                    self._sent.append(Sent(person.id, one.upload.file, content, one.when))
        self._taken = self._take(dry_run=True)
        self.is_new = bool(self._taken.rows)

    def sections(self) -> dict[str, list[Told]]:
        """Return what to tell before anything is stored, by its heading."""
        return {REQUESTS: self._taken.told, REFUSED: [*self._refused, *self._taken.refused]}

    def store(self) -> str:
        """Store them; return a sentence. Raises `UserError` if nothing was stored."""
        stored = counted(len(self._take(dry_run=False).rows), "request")
        return f"{stored} stored. To reply: {typed('hw-grading desk', self._assignment)}"

    def _take(self, *, dry_run: bool) -> Taken:
        if not self._sent:
            return Taken()
        tested = answers_to_tests(self._course, self._assignment)
        try:
            return take(self._course, self._assignment, self._sent, tested, dry_run=dry_run)
        except UserError as why:  # the gradebook's: what was submitted is collected all the same
            if not dry_run:
                raise
            return Taken(refused=[(one.file, str(why)) for one in self._sent])


def _in_time(one: Found) -> tuple[datetime, int, str]:
    return one.when or datetime.min, one.attempt, one.upload.name
