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
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any

import yaml

from hw_grading.gradebook.folders import time_of
from hw_grading.term.found import Sorting, Who, is_work, work_of_one
from hw_grading.term.uploads import Upload
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

PLATFORM = "Gradescope"
_METADATA = "submission_metadata.yml"
_FOLDER = re.compile(r"submission_\d+")
# Other keys of a submission are not kept: there may be megabytes of them.
_WANTED = {":submitters", ":created_at", ":name", ":sid", ":email"}
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?) ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)
_DEEPEST = 100
_MOST_EVENTS = 20_000_000
_LONGEST = 1_000  # characters of a text


def recognises(files: Sequence[Upload]) -> bool:
    """Whether Gradescope's list of submissions is at the top, where students cannot write."""
    return bool(_lists(files))


def sort(files: Sequence[Upload], into: Sorting) -> None:
    """Find each submitter's submission, and the files that match no student."""
    metadata, *more = _lists(files)
    try:
        if more:
            raise Unreadable(f"there are {len(more) + 1} files of this name. Keep only one")
        submissions = _read_yaml(metadata.read())
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


def _read_yaml(content: bytes) -> Any:
    """Return dictionaries, lists, and texts up to 1,000 characters, or raise `Unreadable`.

    Tags make no objects. An alias is the same object again, so a few lines cannot become gigabytes.
    """
    try:
        reader = _Reader(yaml.parse(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        return reader.document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        why = getattr(error, "problem", None) or error
        raise Unreadable(f"{where}expected YAML, found something else ({quoted(why)})") from None
    except (UnicodeError, RecursionError, ValueError) as error:
        raise Unreadable(f"expected YAML, found something else ({quoted(error)})") from None


class _Reader:
    """Builds the values of a YAML document from the parser's events."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = enumerate(events)
        self._anchors: dict[str, Any] = {}

    def document(self) -> Any:
        while not isinstance(event := self._next(), yaml.DocumentStartEvent):
            if isinstance(event, yaml.StreamEndEvent):
                return None
        return self._value(self._next(), 1)

    def _next(self) -> Any:
        number, event = next(self._events)
        if number > _MOST_EVENTS:
            raise Unreadable("it is far too large")
        return event

    def _value(self, event: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            line = event.start_mark.line + 1
            raise Unreadable(f"line {line}: it is nested deeper than {_DEEPEST} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._anchors.get(event.anchor)
        made: Any
        if isinstance(event, yaml.ScalarEvent):
            made = event.value[:_LONGEST]
        elif isinstance(event, yaml.SequenceStartEvent):
            made = [self._value(item, depth + 1) for item in self._to_the_end()]
        else:
            made = self._mapping(depth)
        if event.anchor:
            self._anchors[event.anchor] = made
        return made

    def _mapping(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for event in self._to_the_end():
            key, value = self._value(event, depth + 1), self._value(self._next(), depth + 1)
            if depth == 1 and isinstance(key, str) and key in made:
                line = event.start_mark.line + 1
                raise Unreadable(f"line {line}: {quoted(key)} is there twice")
            if isinstance(key, str) and (depth == 1 or key in _WANTED):
                made[key] = value
        return made

    def _to_the_end(self) -> Iterator[Any]:
        """Yield the events of a list's or dictionary's items; who takes one reads its value."""
        while not isinstance(event := self._next(), yaml.CollectionEndEvent):
            yield event
