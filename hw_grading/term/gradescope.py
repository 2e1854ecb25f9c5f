"""Gradescope: a folder for each submission, and ``submission_metadata.yml`` beside them.

    submission_123:
      :submitters:
      - :name: Jane Doe
        :sid: '1234567'
        :email: jane@example.edu
      :created_at: 2022-10-04 16:59:00.123456000 -07:00

All members of a group are submitters.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any

from hw_grading.records.downloads import Upload
from hw_grading.records.timestamp import time_of
from hw_grading.term.found import Found, LeftOut, Sorted, Who, content_of_work, is_work, work_of_one
from hw_grading.term.plain_yaml import read_yaml
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

PLATFORM = "Gradescope"
_METADATA = "submission_metadata.yml"
_FOLDER = re.compile(r"submission_\d+")
_WANTED = {":submitters", ":created_at", ":name", ":sid", ":email"}
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)? ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)


def recognises(files: Sequence[Upload]) -> bool:
    """Whether Gradescope's list of submissions is at the top, where students cannot write."""
    return bool(_lists(files))


def sort(files: Sequence[Upload], download: str, homework: str, zone: tzinfo) -> Sorted:
    """Return each submitter's submission, and the files that fit nobody."""
    found: list[Found] = []
    left_out: list[LeftOut] = []
    metadata, *more = _lists(files)
    place = f"{download}: {metadata.name}"
    try:
        if more:
            raise Unreadable(f"there are {len(more) + 1} files of this name. Keep only one")
        submissions = read_yaml(metadata.read(), _WANTED)
        if not isinstance(submissions, dict):
            raise Unreadable("expected a list of submissions by folder, found something else")
    except Unreadable as why:
        return [], [LeftOut(place, str(why))]
    of = _by_folder(files, metadata.folder)
    for folder, uploads in of.items():
        entry = submissions.get(folder)
        name = f"{download}: {folder}"
        try:
            upload = work_of_one(uploads, homework)
            name = f"{download}: {upload.name}"
            if not isinstance(entry, dict):
                raise Unreadable(
                    f"{_METADATA} does not list its folder, so its student is not known"
                )
            submitters = _submitters(entry)
            when = _moment(entry.get(":created_at"), zone)
        except Unreadable as why:
            left_out.append(LeftOut(name, str(why)))
            continue
        read = functools.partial(content_of_work, upload, homework)
        found += [Found(who, PLATFORM, name, read, when) for who in submitters]
    without = [str(folder) for folder in submissions if folder not in of]
    why_not = f"{_METADATA} lists it, but there is no notebook in its folder"
    left_out += [LeftOut(f"{download}: {folder}", why_not) for folder in without]
    return found, left_out


def _lists(files: Sequence[Upload]) -> list[Upload]:
    lists = [u for u in files if PurePosixPath(u.name).name == _METADATA]
    folder = min((u.folder for u in lists), key=_depth, default="")
    parts = PurePosixPath(folder).parts
    if len(parts) > 1 or (parts and _FOLDER.fullmatch(parts[0])):
        return []
    outside = [u for u in files if is_work(u) and folder != "." and not _is_in(u, folder)]
    return [] if outside else [u for u in lists if u.folder == folder]


def _depth(folder: str) -> int:
    return len(PurePosixPath(folder).parts)


def _is_in(upload: Upload, folder: str) -> bool:
    return upload.name.startswith(f"{folder}/")


def _by_folder(files: Sequence[Upload], root: str) -> dict[str, list[Upload]]:
    """Return the notebooks and zips of each submission."""
    of: dict[str, list[Upload]] = {}
    for upload in filter(is_work, files):
        inner = PurePosixPath(upload.name).relative_to(root)
        of.setdefault(inner.parts[0], []).append(upload)
    return of


def _submitters(entry: dict[str, Any]) -> list[Who]:
    people = entry.get(":submitters")
    people = people if isinstance(people, list) else []
    found = []
    for person in people:
        texts = person if isinstance(person, dict) else {}
        name, sid, email = (_text(texts.get(key)) for key in (":name", ":sid", ":email"))
        keys = (("id", sid), ("sid", sid), ("email", email), ("id", email))
        said = ", ".join(filter(None, (name, sid, email)))
        found.append(Who(said or "a student without a name", tuple(k for k in keys if k[1])))
    if not found:
        raise Unreadable(f"{_METADATA} names no student for it")
    return found


def _text(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return "" if text in ("~", "null") else text


def _moment(value: object, zone: tzinfo) -> datetime:
    """Return a submission time in UTC."""
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise Unreadable(
            f"expected a time such as '2022-10-04 16:59:00 -07:00' for :created_at, found "
            f"{quoted(value)}"
        )
    day, clock, fraction, offset = match.groups()
    offset = {"Z": "+00:00", "UTC": "+00:00", None: ""}.get(offset, offset)
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0').ljust(6, '0')}{offset}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        moment = moment.astimezone(UTC)
        time_of(f"{moment:%Y-%m-%d %H:%M:%S} UTC")
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"{quoted(value)} is not a time ({quoted(error)})") from None
    return moment
