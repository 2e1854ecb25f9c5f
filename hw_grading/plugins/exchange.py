"""`nbgrader collect`, for an exchange in which any student can put anything."""

import contextlib
import os
import pwd
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

from hw_grading.grade.submissions import SECRET
from hw_grading.gradebook.requests import MAX_BYTES as MAX_REQUEST
from hw_grading.gradebook.requests import Sent, is_request, take
from hw_grading.homework.course import Course
from hw_grading.homework.folders import TIMESTAMP
from hw_grading.homework.homework import why_no_id
from hw_grading.mistakes.groups import answers_to_tests
from hw_support.submission.file import MAX_BYTES, UserError, read_regular_file
from hw_support.submission.problems import quoted

_TO_SUBMIT = timedelta(minutes=10)  # `nbgrader submit` takes a time, and then copies
_MAX_REQUESTS = 10  # files in a folder
_TO_WRITE = timedelta(minutes=1)  # from one of its files to the next; the secret is the last


class CollectEach(ExchangeCollect):
    """Takes a student's notebooks and secret; names what cannot be taken, and goes on.

    The time of submission is the one in the folder's name, which the student's own program wrote.
    The system knows when the folder and its files last changed, and students cannot set that. If
    this is later, nothing proves the time, and none is stored.

    nbgrader's own follows symbolic links, so it would copy what only the instructor may read. It
    takes the newest folder, whoever made it, and stops at the first that is damaged.
    """

    src_records: list[dict[str, Any]]

    def _path_to_record(self, path: str) -> dict[str, Any]:
        try:
            return dict(super()._path_to_record(path))
        except Exception:  # the parser may raise any error on untrusted text
            return {"username": path, "filename": Path(path).name, "timestamp": datetime.min}

    def _sort_by_timestamp(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        newest_first: list[dict[str, Any]] = super()._sort_by_timestamp(records)
        own = [one for one in newest_first if self.check_owner and self._is_own(one)]
        return own or newest_first  # anybody can make a folder of any name

    def _is_own(self, record: dict[str, Any]) -> bool:
        try:
            owner = os.lstat(Path(self.inbound_path, record["filename"])).st_uid
            return bool(pwd.getpwuid(owner).pw_name == record["username"])
        except (KeyError, OSError):
            return False

    def copy_files(self) -> None:
        """Collect one submission after another; fail at the end if any could not be taken."""
        failed = False
        sent: list[Sent] = []
        for record in self.src_records:
            self.src_records = [record]
            try:
                if why := why_no_id(record["username"]):
                    raise UserError(f"expected <student>+<homework>+<time>: {why}")
                source = Path(self.inbound_path, record["filename"])
                self._files, requests, changed = _read(source)
                written = datetime.now(UTC).replace(tzinfo=None) - changed > _TO_WRITE
                if not (self._files.get(SECRET) or written):  # of this time, no other is taken
                    raise UserError("it is still being written. Collect again in a minute")
                said = record["timestamp"].replace(tzinfo=None)
                is_proven = changed - said <= _TO_SUBMIT
                when = said if is_proven else changed
                for name, content in requests.items():
                    sent.append(Sent(record["username"], name, content, when))
                if requests and self._has_these(record["username"]):
                    continue  # the same notebooks, with a request, keep their time
                if is_proven:
                    self._files[TIMESTAMP] = f"{record['timestamp']} UTC".encode()
                else:
                    self.log.warning(
                        "TIME NOT PROVEN: %s was changed at %s UTC, after the time in its name",
                        quoted(record["filename"], 120),
                        f"{changed:%Y-%m-%d %H:%M:%S}",
                    )
                super().copy_files()
            except Exception as error:
                folder = quoted(record["filename"], 120)
                self.log.error("NOT COLLECTED: %s: %s", folder, quoted(error, 200))
                failed = True
        self._take(sent)
        if failed:
            self.fail("Some submissions were not collected: see NOT COLLECTED above")

    def _has_these(self, student: str) -> bool:
        """Whether the notebooks were collected before, as they are."""
        folder = Course.of(self.coursedir).submitted(student, self.coursedir.assignment_id)
        notebooks = {name: one for name, one in self._files.items() if name.endswith(".ipynb")}
        try:
            return all((folder / name).read_bytes() == one for name, one in notebooks.items())
        except OSError:
            return False

    def _take(self, sent: list[Sent]) -> None:
        """Store the requests of students, and name those that are refused."""
        if not sent:
            return
        course, name = Course.of(self.coursedir), self.coursedir.assignment_id
        try:
            taken = take(course, name, sent, answers_to_tests(course, name))
        except UserError as why:
            self.log.error("REQUESTS NOT STORED: %s", why)
            return
        for student, what in taken.told:
            self.log.info("Request of %s, who %s", student, what)
        for file, why_not in taken.refused:
            self.log.warning("REQUEST REFUSED: %s: %s", quoted(file), why_not)

    def do_copy(self, src: str, dest: str) -> None:
        """Write what was read; only now has nbgrader removed what was collected earlier."""
        os.mkdir(dest, 0o700)
        for name, content in self._files.items():
            Path(dest, name).write_bytes(content)


def _read(source: Path) -> tuple[dict[str, bytes], dict[str, bytes], datetime]:
    """Read a student's files and requests, and when they or their folder last changed, in UTC.

    The student can replace them, and the folder, at the same time.
    """
    folder = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    files: dict[str, bytes] = {}
    requests: dict[str, bytes] = {}
    try:
        changed = os.fstat(folder).st_ctime
        for name in os.listdir(folder):
            if name.endswith(".ipynb") or name == SECRET:
                changed = max(changed, os.stat(name, dir_fd=folder, follow_symlinks=False).st_ctime)
                files[name] = read_regular_file(Path(name), MAX_BYTES, folder)
            elif is_request(name) and len(requests) < _MAX_REQUESTS:
                requests[name] = _request(name, folder)
            if sum(map(len, files.values())) > MAX_BYTES:
                raise UserError(f"its notebooks have more than {MAX_BYTES:,} bytes together")
    finally:
        os.close(folder)
    return files, requests, datetime.fromtimestamp(changed, UTC).replace(tzinfo=None)


def _request(name: str, folder: int) -> bytes:
    """Read a request; nothing, which is refused later, if it is none. Notebooks are not lost."""
    with contextlib.suppress(UserError, OSError):
        return read_regular_file(Path(name), MAX_REQUEST, folder)
    return b""
