"""Gradescope: a folder for each submission, and ``submission_metadata.yml`` beside them.

    submission_123:
      :submitters:
      - :name: Jane Doe
        :sid: '1234567'
        :email: jane@example.edu
      :created_at: 2022-10-04 16:59:00.123456000 -07:00

All members of a group are submitters. A time may also be an object of Ruby, with its ``utc``.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any

import yaml

from hw_grading.gradebook.folders import time_of
from hw_grading.lms.platforms import Found, Naming, Upload
from hw_grading.lms.roster import Who
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

_METADATA = "submission_metadata.yml"
_MAX_BYTES = 20_000_000  # takes 1 GB of memory
_FOLDER = re.compile(r"submission_\d+")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?) ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)


def naming(files: Sequence[Upload], zone: tzinfo) -> Naming | None:
    """Return what Gradescope says about files; None if this is no export of Gradescope.

    Its list of submissions is at the top, where students cannot write. `zone` is that of a time
    without one.
    """
    lists = [upload for upload in files if PurePosixPath(upload.name).name == _METADATA]
    metadata = min(lists, key=lambda upload: len(upload.folders), default=None)
    top = metadata.folders if metadata else ()
    if not metadata or len(top) > 1 or any(map(_FOLDER.fullmatch, top)):
        return None
    if any(upload.is_work and upload.folders[: len(top)] != top for upload in files):
        return None
    submissions = _read(metadata)

    def naming(upload: Upload) -> list[Found]:
        folder, *own = PurePosixPath(upload.name).parts[len(top) :]
        if not own:
            return []
        entry = submissions.get(folder)
        if not isinstance(entry, dict):
            raise UserError(f"{_METADATA} does not list its folder, so its student is not known")
        when = _moment(entry.get(":created_at"), zone)
        about = (upload, "Gradescope", folder, "/".join(own), when)
        return [Found(who, *about) for who in _submitters(entry)]

    return naming


def _read(metadata: Upload) -> dict[str, Any]:
    """Return the list: dictionaries, lists and texts only, since `BaseLoader` obeys no tags.

    An alias is the same object again, so a few lines cannot become gigabytes.
    """
    try:
        if len(content := metadata.read()) > _MAX_BYTES:
            raise UserError(
                f"expected at most {_MAX_BYTES:,} bytes, found {len(content):,}. Remove "
                ":results: and :history: from it"
            )
        found = yaml.load(content, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        if not isinstance(found, dict):
            raise UserError("expected a list of submissions by folder, found something else")
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise UserError(
            f"{_METADATA}: expected YAML, found something else ({quoted(said, 200)})"
        ) from None
    except (UserError, UnicodeError, RecursionError, ValueError) as error:
        raise UserError(f"{_METADATA}: {error}") from None
    return found


def _submitters(entry: dict[str, Any]) -> tuple[Who, ...]:
    people = entry.get(":submitters")
    found = []
    for person in people if isinstance(people, list) else ():
        texts = person if isinstance(person, dict) else {}
        name, sid, email = (_text(texts.get(key)) for key in (":name", ":sid", ":email"))
        keys = [(what, value) for what, value in (("sid", sid), ("email", email)) if value]
        said = ", ".join(filter(None, (name, sid, email)))
        found.append(Who(said or "a student without a name", tuple(keys), account=email))
    if not found:
        raise UserError(f"{_METADATA} names no student for it")
    return tuple(found)


def _text(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return "" if text in ("~", "null") else text


def _moment(value: object, zone: tzinfo) -> datetime:
    """Return a time; of an object of Ruby its `utc`, since its `time` is local and says it is not.

    Raises `UserError` if there is none that is possible.
    """
    text = value.get("utc") if isinstance(value, dict) else value
    text = text.strip() if isinstance(text, str) else ""  # aliases could make others endless
    match = _TIME.fullmatch(text)
    if not match:
        raise UserError(
            f"expected a time such as '2022-10-04 16:59:00 -07:00' for :created_at, found "
            f"{quoted(text)}"
        )
    try:
        moment = datetime.fromisoformat(match[1] + (match[2] or "").replace("UTC", "Z"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC if isinstance(value, dict) else zone)
        moment = moment.astimezone(UTC)
        time_of(f"{moment:%Y-%m-%d %H:%M:%S} UTC")
    except (ValueError, OverflowError, UserError) as error:
        raise UserError(f"{quoted(text)} is not a time ({quoted(error)})") from None
    return moment
