"""nbgrader's exchange: what cannot be taken is skipped and named, and the others are processed."""

import glob
import os
import pwd
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback

from hw_grading.batch.submissions import SECRET
from hw_grading.gradebook.folders import MAX_BYTES_OF_MARK, TIMESTAMP, read_time
from hw_grading.homework.homework import why_no_id
from hw_support.submission.file import MAX_BYTES, UserError, read_regular_file
from hw_support.submission.problems import quoted

_MAX_FILES = 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class CollectEach(ExchangeCollect):
    """``nbgrader collect``: takes a student's notebooks, time and secret, and no other file."""

    src_records: list[dict[str, Any]]

    def _path_to_record(self, path: str) -> dict[str, Any]:
        try:
            return dict(super()._path_to_record(path))
        except Exception:  # the parser may raise any error on untrusted text
            return {"username": path, "filename": Path(path).name, "timestamp": datetime.min}

    def _sort_by_timestamp(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        newest_first: list[dict[str, Any]] = super()._sort_by_timestamp(records)
        own = filter(self._is_own, newest_first)  # anybody can make a folder of any name
        return (list(own) if self.check_owner else []) or newest_first

    def _is_own(self, record: dict[str, Any]) -> bool:
        try:
            owner = os.lstat(Path(self.inbound_path, record["filename"])).st_uid
            return bool(pwd.getpwuid(owner).pw_name == record["username"])
        except (KeyError, OSError):
            return False

    def copy_files(self) -> None:
        """Collect each student's submission, and name those that cannot be taken."""
        failed = False
        for record in self.src_records:
            self.src_records = [record]
            try:
                if why := why_no_id(record["username"]):
                    raise UserError(f"expected <student>+<homework>+<time>: {why}")
                with tempfile.TemporaryDirectory() as self._copy:
                    _take(Path(self.inbound_path, record["filename"]), Path(self._copy))
                    super().copy_files()
            except (UserError, ExchangeError, OSError) as error:
                folder = quoted(record["filename"], 120)
                self.log.error("NOT COLLECTED: %s: %s", folder, quoted(error, 200))
                failed = True
        if failed:
            self.fail("Some submissions were not collected: see NOT COLLECTED above")

    def do_copy(self, src: str, dest: str) -> None:
        """Copy what was taken; only now does nbgrader remove what was collected earlier."""
        shutil.copytree(self._copy, dest)


def _take(source: Path, copy: Path) -> None:
    """Copy a student's files. The student can replace them, and the folder, at the same time."""
    folder = os.open(source, _FOLDER)
    try:
        names = [n for n in os.listdir(folder) if n.endswith(".ipynb") or n in (TIMESTAMP, SECRET)]
        if len(names) > _MAX_FILES:
            raise UserError(f"it has more than {_MAX_FILES} notebooks")
        for name in names:
            (copy / name).write_bytes(read_regular_file(Path(name), MAX_BYTES, folder))
    finally:
        os.close(folder)
    try:
        read_time(copy)
    except UserError:
        raise UserError(
            f"{TIMESTAMP}: expected a time such as '2022-10-04 23:59:00 UTC', found none"
        ) from None


class ReleaseFeedbackToEach(ExchangeReleaseFeedback):
    """``nbgrader release_feedback``: skips students who did not submit in the exchange."""

    src_path: str

    def copy_files(self) -> None:
        """Release each student's pages, and name the students who get none."""
        for folder in sorted(glob.glob(self.src_path)):
            self.src_path = glob.escape(folder)
            try:
                path = Path(folder, SECRET)
                if not os.path.lexists(path):
                    raise UserError(f"the submission did not come through the exchange ({SECRET})")
                if not read_regular_file(path, MAX_BYTES_OF_MARK).decode():
                    raise UserError(f"{SECRET} is empty")
                super().copy_files()
            except (UserError, OSError, UnicodeDecodeError) as why:
                self.log.error("NO FEEDBACK RELEASED: %s: %s", folder, why)
