"""The plug-ins of ``nbgrader zip_collect``, which use the platform's file names.

Downloads of Canvas, Gradescope and Moodle are recognised as by ``python -m hw_grading collect``. In
any other download, the name of a file in ``downloaded/<homework>/archive`` gives the student. If
that file is a zip whose name gives no student, the zip is a download of many students, and the
names of the files in it give the students. Names inside a student's own zip never count.

An upload cannot stop the others, write outside its folder, or exceed the limits of size. Uploads
that are left out are listed at the end, with the reasons.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import default

from hw_grading.homework.course import Course
from hw_grading.homework.homework import file_name_pattern, why_no_id
from hw_grading.records.downloads import NOTEBOOK, ZIP, Upload, safe_path
from hw_grading.records.scores import counted
from hw_grading.records.timestamp import time_of
from hw_grading.term.collect import plan_of
from hw_grading.term.download import file_at, files_zipped
from hw_grading.term.found import content_of_work, is_work
from hw_grading.term.platforms import is_of_a_platform
from hw_grading.term.roster import read_roster
from hw_grading.term.showing import plan_in_words
from hw_grading.term.write import TIME_FORMAT
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_ONE_FOLDER = (
    "expected all files in one folder, named <student>_<homework>.ipynb. If the platform made a "
    "folder for each student, type `python -m hw_grading collect`, which knows the platforms, "
    "or set c.HomeworksByName.named_regexp to a pattern that takes student_id from the folder"
)


class HomeworksByName(FileNameCollectorPlugin):
    """Takes ``<student>_<homework>.ipynb`` apart, unless `named_regexp` is set otherwise."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.handed_in: dict[str, datetime] = {}  # by file name, if the platform gives the time

    @default("named_regexp")
    def of_this_course(self) -> str:
        """Return the pattern for the homeworks of the course."""
        # The plugin's parent is the app that runs it.
        return file_name_pattern(Course.of(self.parent.coursedir).homeworks())

    def collect(self, submitted_file: str) -> dict[str, Any] | None:
        """Return the student, the notebook's name, and the submission time if known."""
        found: dict[str, Any] | None = super().collect(submitted_file)
        when = self.handed_in.get(os.path.basename(submitted_file))
        if found and when:
            found["timestamp"] = f"{when.astimezone(UTC):{TIME_FORMAT}} UTC"
        return found


class OneNotebookEach(ExtractorPlugin):
    """Takes one notebook of each student out of what was downloaded, under the outer name."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Write the notebooks in `archive_path` into `extracted_path`."""
        self._left_out: dict[str, str] = {}
        archive, homework = Path(archive_path), self.parent.coursedir.assignment_id
        if self._goes_by_file_name() and is_of_a_platform(archive, homework):
            self._extract_by_platform(archive, homework, Path(extracted_path))
        else:
            self._extract_by_name(archive, extracted_path)
        self._report_at_the_end()

    def _extract_by_platform(self, archive: Path, homework: str, extracted: Path) -> None:
        course = Course.of(self.parent.coursedir)
        people = read_roster(course, homework)
        with ExitStack() as stack:
            plan, zone = plan_of(course, homework, [archive], stack, people)
            self.log.info("%s", plan_in_words(plan, zone))
            for entry in plan.to_write:
                name = f"{entry.person.id}_{homework}{NOTEBOOK}"
                (extracted / name).write_bytes(entry.found.read())
                if entry.found.when:
                    self.parent.collector_plugin_inst.handed_in[name] = entry.found.when
        people.store(course.db_url)
        self._left_out |= {one.file: one.why for one in (*plan.left_out, *plan.unknown)}

    def _extract_by_name(self, archive: Path, extracted_path: str) -> None:
        with ExitStack() as stack:
            of: dict[tuple[str, str], list[tuple[Upload, Path]]] = {}
            uploads = list(self._uploads(archive, stack))
            work = list(filter(is_work, uploads))
            folders = self._folders(work)
            for upload in work:
                try:
                    target = Path(extracted_path, safe_path(upload.name)).with_suffix(NOTEBOOK)
                    whose = self._whose(target)
                    if folders[upload.bundle] not in (upload.folder, None):
                        raise Unreadable(_ONE_FOLDER)
                    of.setdefault(whose, []).append((upload, target))
                except Unreadable as why:
                    self._left_out[upload.name] = str(why)
            for (student, _), files in of.items():
                self._take(student, files)
        if others := len(uploads) - len(work):
            self.log.info("Left out as neither notebook nor zip: %s", counted(others, "file"))

    def _goes_by_file_name(self) -> bool:
        """Whether the student is in the file's own name, and not in a folder's."""
        collector = self.parent.collector_plugin_inst
        is_ours = isinstance(collector, HomeworksByName)
        return is_ours and bool(collector.named_regexp == collector.of_this_course())

    def _uploads(self, folder: Path, stack: ExitStack) -> Iterator[Upload]:
        for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
            name = path.relative_to(folder).as_posix()
            if path.name.startswith("."):
                continue
            if path.suffix.lower() != ZIP or self._collected(path.with_suffix(NOTEBOOK)):
                yield file_at(path, name)
                continue
            try:
                files = files_zipped(path, stack)
            except (Unreadable, OSError) as why:
                self._left_out[name] = str(why)
                continue
            self.log.info("%s is read as a download of many students' files", quoted(name))
            for one in files:
                yield replace(one, name=f"{name[: -len(ZIP)]}/{one.name}", bundle=name)

    def _folders(self, work: list[Upload]) -> dict[str, str | None]:
        """Return for each bundle the folder with students in its file names; None for all."""
        if not self._goes_by_file_name():
            return {upload.bundle: None for upload in work}
        inner: defaultdict[str, set[str]] = defaultdict(set)
        for upload in work:
            inner[upload.bundle].add(upload.folder)
        return {bundle: os.path.commonpath(found) or "." for bundle, found in inner.items()}

    def _collected(self, path: Path) -> dict[str, Any] | None:
        return self.parent.collector_plugin_inst.collect(str(path))  # type: ignore[no-any-return]

    def _whose(self, path: Path) -> tuple[str, str]:
        found = self._collected(path)
        if not found:
            raise Unreadable("expected a name such as <student>_<homework>.ipynb. Rename the file")
        student, notebook = str(found["student_id"]), str(found["file_id"])
        if why := why_no_id(student):
            raise Unreadable(f"{quoted(student)} is not a student id: {why}. Rename the file")
        safe_path(notebook)
        if found.get("timestamp"):
            time_of(str(found["timestamp"]))  # the collector stops at an invalid time
        return student, notebook

    def _take(self, student: str, uploads: list[tuple[Upload, Path]]) -> None:
        if len(uploads) > 1:
            why_not = f"{student} has {len(uploads)} files. Keep only the one that counts"
            self._left_out |= {upload.name: why_not for upload, _ in uploads}
            return
        [(upload, target)] = uploads
        try:
            content = content_of_work(upload, self.parent.coursedir.assignment_id)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except (Unreadable, OSError) as why:
            self._left_out[upload.name] = str(why)

    def _report_at_the_end(self) -> None:
        collect = self.parent.process_extracted_files

        def collect_and_report() -> None:
            collect()
            if self._left_out:
                lines = (f"\n  {quoted(name, 120)}: {why}" for name, why in self._left_out.items())
                files = counted(len(self._left_out), "file")
                self.log.error(f"LEFT OUT: {files}; all others were collected:{''.join(lines)}")
                self.parent.exit(1)

        self.parent.process_extracted_files = collect_and_report
