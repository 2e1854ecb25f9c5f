"""nbgrader's exchange, a folder where every student of a machine can write.

nbgrader follows links that students put there, and one strange folder or file stops it for the
whole class. These classes, which nbgrader_config.py names, skip such a folder or read as much of it
as possible. They report its student, and process the others.
"""

import contextlib
import glob
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect, ExchangeList, ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash

from hw_grading.homework.course import shelf_of
from hw_grading.homework.homework import why_no_id
from hw_grading.plugins.strange_folder import copy_strange_folder
from hw_grading.records.scores import named
from hw_grading.records.secret import SECRET, read_secret
from hw_grading.records.timestamp import TIMESTAMP, read_time
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_KILOBYTE = 1_000  # nbgrader's unit
_SLOWEST = timedelta(minutes=10)  # for `nbgrader submit`, and for two clocks that differ
_MOST_NAMED = 20


class CollectAnyName(ExchangeCollect):
    """Collects what students submitted: ``nbgrader collect``.

    A folder whose name has no valid time counts as its student's oldest submission. Links and pipes
    are not copied. An earlier copy is replaced only after the new one is complete.
    """

    def _path_to_record(self, path: str) -> dict[str, Any]:
        try:
            return dict(super()._path_to_record(path))
        except Exception:  # the parser may raise any error on untrusted text
            self.log.warning(
                f"{path}: expected a name that ends in a time such as '2022-10-04 23:59:00 UTC', "
                "found none. The folder counts as the student's oldest submission. Look at it, "
                "then remove it"
            )
            name = os.path.basename(path)
            return {"username": name.partition("+")[0], "filename": name, "timestamp": datetime.min}

    def copy_files(self) -> None:
        """Copy each student's submission. At the end, name those that could not be copied."""
        failed = {}
        again = []
        self._in_doubt: list[str] = []
        if not self.src_records:
            super().copy_files()  # reports that there is nothing
        for record in self.src_records:
            try:
                if not self._collect(record):
                    again.append(record["username"])
            except (Unreadable, OSError) as why:
                failed[record["filename"]] = str(why)
        if again:
            self.log.warning(
                f"Submitted again, but not collected: {', '.join(sorted(again))}. To collect the "
                f"newer submissions: nbgrader collect {self.coursedir.assignment_id} --update"
            )
        if self._in_doubt:
            self.log.warning(
                f"The time of submission is read from {TIMESTAMP}, which students can edit. These "
                "submissions were changed after that time, or have no time: "
                f"{named(self._in_doubt, _MOST_NAMED)}. Ask the students, and correct the file. If "
                "you have copied or restored the exchange, ignore this message"
            )
        if failed:
            # CollectApp ends with status 1.
            self.fail(_said(f"NOT COLLECTED from {self.inbound_path}", failed))

    def _collect(self, record: Mapping[str, Any]) -> bool:
        """Copy one submission. Return whether the student's newest submission is there now."""
        student, course = record["username"], self.coursedir
        if why := why_no_id(student):
            raise Unreadable(f"{quoted(student)} is not a student id: {why}")
        source = Path(self.inbound_path, record["filename"])
        target = Path(course.format_path(course.submitted_directory, student, course.assignment_id))
        name = f"{student} {course.assignment_id}"
        if target.is_dir():
            there, new = course.get_existing_timestamp(str(target)), record["timestamp"]
            newer = there is None or new > there
            if not (self.update and newer) and not (self.before_duedate and there != new):
                self.log.info("Collected before: %s", name)
                return self.update or self.before_duedate or not newer
            self.log.info("Updating submission: %s", name)
        else:
            self.log.info("Collecting submission: %s", name)
        self._warn_of_other_owner(record)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".collecting-") as folder:
            copy, kept = Path(folder, "copy"), Path(folder, "kept")
            sizes = (size * _KILOBYTE for size in (course.max_dir_size, course.max_file_size))
            for left_out in copy_strange_folder(source, copy, *sizes):
                self.log.warning("%s: not copied from the exchange: %s", name, left_out)
            self.do_copy(str(copy), str(kept))  # drops files that match `ignore`, and sets modes
            self._note_doubtful_time(source, kept, student)
            if target.is_dir():
                target.rename(Path(folder, "old"))
            kept.rename(target)
        return True

    def _note_doubtful_time(self, source: Path, copy: Path, student: str) -> None:
        """Note a submission that was changed in the exchange after the time that it states."""
        with os.scandir(source) as entries:
            times = [
                one.stat(follow_symlinks=False).st_ctime  # which the owner cannot set
                for one in entries
                if one.name == TIMESTAMP or one.name.endswith(".ipynb")
                if one.is_file(follow_symlinks=False)
            ]
        changed = datetime.fromtimestamp(max(times, default=0.0), UTC).replace(tzinfo=None)
        stated = None
        with contextlib.suppress(Unreadable):
            stated = read_time(copy)
        if stated is None or changed > stated + _SLOWEST:
            says = "none" if stated is None else f"{stated:%Y-%m-%d %H:%M}"
            self._in_doubt.append(f"{student} (says {says}, changed {changed:%Y-%m-%d %H:%M} UTC)")

    def _sort_by_timestamp(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return a student's own submissions, the newest first; without any, those of others."""
        newest_first: list[dict[str, Any]] = super()._sort_by_timestamp(records)
        own = [record for record in newest_first if self._made_by_another(record) is None]
        for record in newest_first if own else ():
            self._warn_of_other_owner(record, "not collected: ")
        return own or newest_first

    def _made_by_another(self, record: Mapping[str, Any]) -> str | None:
        """Return the user who made a submission's folder; None if it is the student."""
        if not self.check_owner:
            return None
        try:
            owner = os.lstat(Path(self.inbound_path, record["filename"])).st_uid
            name = pwd.getpwuid(owner).pw_name
        except (KeyError, OSError):
            return "an unknown user"
        return None if name == record["username"] else f"the user {name}"

    def _warn_of_other_owner(self, record: Mapping[str, Any], what: str = "") -> None:
        """Warn about a folder that was made by another user than the student."""
        if maker := self._made_by_another(record):
            student, path = record["username"], Path(self.inbound_path, record["filename"])
            self.log.warning(
                f"{path}: {what}made by {maker}, not by {student}. Ask both who submitted it (if "
                "all students are one user of the system, add --CollectApp.check_owner=False)"
            )


class ListEach(ExchangeList):
    """Lists what was submitted (``nbgrader list --inbound``), without what cannot be read."""

    assignments: list[str]

    def init_dest(self) -> None:
        """Find the submissions to list."""
        super().init_dest()
        if self.inbound:
            self.assignments = [path for path in self.assignments if self._is_listed(Path(path))]

    def _is_listed(self, folder: Path) -> bool:
        """Return whether nbgrader can open the notebook and the secret without stopping."""
        try:
            read_secret(folder)
            for path in folder.glob("*.ipynb"):
                if not stat.S_ISREG(os.lstat(path).st_mode) or not os.access(path, os.R_OK):
                    raise Unreadable(f"{quoted(path.name)} is not a readable file")
            return True
        except (Unreadable, OSError) as why:
            self.log.warning("%s: not listed: %s. Look at the folder, then remove it", folder, why)
            return False


class ReleaseFeedbackToEach(ExchangeReleaseFeedback):
    """Releases feedback to students who used the exchange: ``nbgrader release_feedback``.

    A student's page is named by the secret of the submission, which autograding has copied.
    """

    def copy_files(self) -> None:
        """Copy each student's pages, and name the students who get none."""
        course, homework = self.coursedir, self.coursedir.assignment_id
        step, excluded = course.submitted_directory, course.student_id_exclude.split(",")
        shelf = shelf_of(course, course.feedback_directory, homework)
        elsewhere: list[str] = []
        failed: dict[str, str] = {}
        found = sorted(map(Path, glob.glob(os.path.join(self.src_path, "*.html"))))
        if not found:
            self.fail(
                f"There is no feedback for {homework} ({self.src_path}). First run "
                f"`nbgrader generate_feedback {homework}`"
            )
        for page in found:
            student = shelf.name(page.parts[len(shelf.parent.parts)]) or ""
            if student in excluded:
                continue
            try:
                if secret := read_secret(page.parent):
                    self._release(page, student, secret)
                elif os.path.lexists(Path(course.format_path(step, student, homework), SECRET)):
                    failed[student] = (
                        f"the submission had no {SECRET} when it was graded. Run `nbgrader "
                        f"autograde {homework} --force`, then `nbgrader "
                        f"generate_feedback {homework} --force`"
                    )
                else:
                    elsewhere.append(student)
            except (Unreadable, OSError) as why:
                failed[student] = str(why)
        if elsewhere:
            self.log.warning(
                "These students did not submit through the exchange, so they get no feedback "
                f"through it: {', '.join(elsewhere)}. Their pages are in {shelf.parent}"
            )
        if failed:
            # ReleaseFeedbackApp ends with status 1.
            self.fail(_said("NO FEEDBACK RELEASED to", failed))

    def _release(self, page: Path, student: str, secret: str) -> None:
        name = notebook_hash(secret=secret, notebook_id=page.stem)
        target = Path(self.dest_path, f"{name}.html")
        half_made = target.with_name(f"{name}-tmp.html")
        shutil.copy(page, half_made)
        half_made.replace(target)  # atomic, because a student may be reading the old page
        self.log.info("Released: %s, %s", student, page.stem)


def _said(what: str, why: Mapping[str, str]) -> str:
    lines = (f"\n  {quoted(name, 120)}: {reason}" for name, reason in sorted(why.items()))
    return f"{what}:{''.join(lines)}"
