"""Gradescope: a folder for each submission, and ``submission_metadata.yml`` beside them.

    submission_123:
      :submitters:
      - :name: Jane Doe
        :sid: '1234567'
        :email: jane@example.edu
      :created_at: 2022-10-04 16:59:00.123456000 -07:00

All members of a group are submitters.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any

from hw_grading.records.downloads import Upload
from hw_grading.records.timestamp import time_of
from hw_grading.term.found import Sorting, Who, is_work, work_of_one
from hw_grading.term.plain_yaml import read_yaml
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

PLATFORM = "Gradescope"
_METADATA = "submission_metadata.yml"
_FOLDER = re.compile(r"submission_\d+")
_WANTED = {":submitters", ":created_at", ":name", ":sid", ":email"}
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?) ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)


def recognises(files: Sequence[Upload]) -> bool:
    """Whether Gradescope's list of submissions is at the top, where students cannot write."""
    return bool(_lists(files))


def sort(files: Sequence[Upload], into: Sorting) -> None:
    """Find each submitter's submission, and the files that match no student."""
    metadata, *more = _lists(files)
    try:
        if more:
            raise Unreadable(f"there are {len(more) + 1} files of this name. Keep only one")
        submissions = read_yaml(metadata.read(), _WANTED)
        if not isinstance(submissions, dict):
            raise Unreadable("expected a list of submissions by folder, found something else")
    except Unreadable as why:
        into.leave_out(metadata, why)
        return
    of: dict[str, list[Upload]] = {}
    for upload in filter(is_work, files):
        inner = PurePosixPath(upload.name).relative_to(metadata.folder)
        of.setdefault(inner.parts[0], []).append(upload)
    for folder, uploads in of.items():
        entry = submissions.get(folder)
        name = folder
        try:
            upload = work_of_one(uploads, into.homework)
            name = upload.name
            if not isinstance(entry, dict):
                raise Unreadable(
                    f"{_METADATA} does not list its folder, so its student is not known"
                )
            submitters = _submitters(entry)
            when = _moment(entry.get(":created_at"), into.zone)
        except Unreadable as why:
            into.leave_out(name, why)
            continue
        for who in submitters:
            into.add(who, upload, when=when)
    for folder in submissions:
        if folder not in of:
            into.leave_out(folder, f"{_METADATA} lists it, but there is no notebook in its folder")


def _lists(files: Sequence[Upload]) -> list[Upload]:
    lists = [u for u in files if PurePosixPath(u.name).name == _METADATA]
    folders = [PurePosixPath(upload.folder) for upload in lists]
    top = min(folders, key=lambda folder: len(folder.parts), default=PurePosixPath())
    if len(top.parts) > 1 or _FOLDER.fullmatch(top.name):
        return []
    outside = [u for u in files if is_work(u) and not PurePosixPath(u.name).is_relative_to(top)]
    return [] if outside else [u for u in lists if u.folder == str(top)]


def _submitters(entry: dict[str, Any]) -> list[Who]:
    people = entry.get(":submitters")
    found = []
    for person in people if isinstance(people, list) else ():
        texts = person if isinstance(person, dict) else {}
        name, sid, email = (_text(texts.get(key)) for key in (":name", ":sid", ":email"))
        keys = (("id", sid), ("sid", sid), ("email", email), ("id", email))
        said = ", ".join(filter(None, (name, sid, email)))
        said = said or "a student without a name"
        found.append(Who(said, tuple(k for k in keys if k[1]), account=email))
    if not found:
        raise Unreadable(f"{_METADATA} names no student for it")
    return found


def _text(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return "" if text in ("~", "null") else text


def _moment(value: object, zone: tzinfo) -> datetime:
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise Unreadable(
            f"expected a time such as '2022-10-04 16:59:00 -07:00' for :created_at, found "
            f"{quoted(value)}"
        )
    try:
        moment = datetime.fromisoformat(match[1] + (match[2] or "").replace("UTC", "Z"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        moment = moment.astimezone(UTC)
        time_of(f"{moment:%Y-%m-%d %H:%M:%S} UTC")
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"{quoted(value)} is not a time ({quoted(error)})") from None
    return moment
