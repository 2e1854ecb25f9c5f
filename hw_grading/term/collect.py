"""Collects submissions from any learning platform's download."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from hw_grading.homework.course import Course
from hw_grading.homework.homework import file_name_pattern, homework_of
from hw_grading.records.handed_in import extended
from hw_grading.term import canvas, gradescope, moodle, plain
from hw_grading.term.decide import decide
from hw_grading.term.download import Download, open_downloads
from hw_grading.term.found import Found, LeftOut, Sorted
from hw_grading.term.manifest import path_of, read_manifest, write_manifest
from hw_grading.term.roster import read_roster
from hw_grading.term.showing import files_in_words, plan_in_words
from hw_grading.term.write import put_back, write
from hw_support.failures import visible
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import shown


def collect(
    folder: Path,
    homework: str,
    downloads: Sequence[Path],
    *,
    roster: Path | None = None,
    canvas_gradebook: Path | None = None,
    dry_run: bool = False,
    yes: bool = False,
) -> bool:
    """Show what downloads hold, and write it into ``submitted/`` if the instructor agrees.

    Parameters
    ----------
    folder
        The course's.
    homework
        Its name.
    downloads
        Zips, folders or notebooks.
    roster, canvas_gradebook
        CSV files; None for ``students.csv`` of the course, and for none.
    dry_run
        Only show.
    yes
        Do not ask.

    Returns
    -------
    bool
        Whether nothing was left out.

    Raises
    ------
    Unreadable
        Nothing can be collected: there is no such homework, no list of students can be read, no
        download can be opened, or nobody answers.
    """
    course = Course(folder)
    if homework not in (names := course.homeworks()):
        known = ", ".join(names) or "none"
        raise Unreadable(f"There is no homework {shown(homework)} in {folder}; there are: {known}")
    settings = homework_of(course.root, homework).manifest
    zone = ZoneInfo(settings.time_zone)
    people = read_roster(course, homework, roster, canvas_gradebook)
    manifest = path_of(course.root, homework)
    collected = read_manifest(manifest)
    with ExitStack() as stack:
        found, left_out = _found_in(downloads, homework, zone, stack)
        if not dry_run:
            put_back(course, homework, {*collected, *(person.id for person in people.people)})
        due = settings.due_moment
        own = extended(course.db_url, homework, due) if due else {}
        plan = decide(course, homework, due, people, found, left_out, collected, own)
        _say(plan_in_words(plan, zone))
        if dry_run or not plan.entries:
            return plan.is_all_well
        if plan.to_write and not (yes or _agreed()):
            print("Nothing was written.")
            return False
        records, failed = write(course, plan)
    write_manifest(manifest, homework, {**collected, **records})
    _say(
        f"{len(records)} submissions are in {course.directory.submitted_directory}/ now. "
        f"Their digests: {manifest}"
    )
    if failed:
        _say(f"NOT WRITTEN ({len(failed)}):\n{files_in_words(failed)}")
    return plan.is_all_well and not failed


def _found_in(
    paths: Sequence[Path], homework: str, zone: tzinfo, stack: ExitStack
) -> tuple[list[Found], list[LeftOut]]:
    named_plainly = re.compile(file_name_pattern([homework]))

    def is_one_students(name: str) -> bool:
        return (
            bool(named_plainly.match(name)) or canvas.is_named_so(name) or moodle.is_named_so(name)
        )

    found: list[Found] = []
    left_out: list[LeftOut] = []
    is_any_open = False
    for path in paths:
        downloads, why_not = open_downloads(path, is_one_students, stack)
        left_out += why_not
        for download in downloads:
            is_any_open = True
            of_this, not_of_this = _sorted(download, homework, zone)
            found += of_this
            left_out += not_of_this
    if not is_any_open:
        raise Unreadable(f"No download could be opened:\n{files_in_words(left_out)}")
    return found, left_out


def _sorted(download: Download, homework: str, zone: tzinfo) -> Sorted:
    files, name = download.files, download.name
    if gradescope.recognises(files):
        return gradescope.sort(files, name, homework, zone)
    if moodle.recognises(files):
        return moodle.sort(files, name, homework)
    if canvas.recognises(files):
        return canvas.sort(files, name, homework)
    return plain.sort(files, name, homework)


def _agreed() -> bool:
    try:
        answer = input("Write these? [y/N] ")
    except EOFError:
        raise Unreadable("Nobody answers here, so nothing was written. Add --yes") from None
    return answer.strip().casefold() in ("y", "yes")


def _say(text: str) -> None:
    """Print a text; what cannot be encoded there becomes "?"."""
    encoding = sys.stdout.encoding or "utf-8"
    print(visible(text).encode(encoding, "replace").decode(encoding))
