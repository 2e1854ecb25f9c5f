"""The content of a platform's download: each student's files, and the files left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from hw_grading.term.uploads import NOTEBOOK, ZIP, Upload, notebook_in, the_one_of
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted


@dataclass(frozen=True)
class Who:
    """A student, as the platform names them."""

    said: str  # the name for messages
    # Pairs of a roster's column and a value in it, the most certain first
    keys: tuple[tuple[str, str], ...]
    or_else: tuple[str, ...] = ()  # other possible Canvas ids in the same file name
    canvas_name: str = ""  # the text before the id in such a name
    account: str = ""  # the account on the platform, which nobody else has; "" if unknown


@dataclass(frozen=True)
class Found:
    """A notebook in a download."""

    who: Who
    platform: str  # such as "Canvas"
    file: str  # the download and the path in it
    read: Callable[[], bytes]  # returns the notebook's bytes or raises `Unreadable`
    when: datetime | None = None  # None if the platform gives none
    late: bool | None = None  # True if the platform says so; None if it says nothing
    attempt: int = 0  # grows with each upload; 0 if the platform gives no number


@dataclass(frozen=True)
class LeftOut:
    """A file that is not collected, and why."""

    file: str
    why: str


@dataclass(frozen=True)
class Sorting:
    """One download's files, which a platform's `sort` sorts."""

    platform: str
    download: str
    homework: str
    zone: tzinfo  # of the platform's times without one
    found: list[Found] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, who: Who, upload: Upload, **more: Any) -> None:
        """Add a student's submission; `more` are other attributes of `Found`."""
        read = partial(content_of_work, upload, self.homework)
        self.found.append(Found(who, self.platform, self._place(upload), read, **more))

    def leave_out(self, file: Upload | str, why: object) -> None:
        """Leave out a file, or a folder by its name."""
        self.left_out.append(LeftOut(self._place(file), str(why)))

    def _place(self, file: Upload | str) -> str:
        name = file if isinstance(file, str) else file.name
        is_one_file = PurePosixPath(self.download).name == name
        return self.download if is_one_file else f"{self.download}: {name}"


def is_work(upload: Upload) -> bool:
    """Whether a file can be the graded notebook, or contain it."""
    return upload.suffix in (NOTEBOOK, ZIP)


def not_work(upload: Upload) -> str:
    """Return why a file is left out, if its student submitted nothing that can be graded."""
    return f"expected a notebook or a zip, found {quoted(upload.suffix or 'no ending')}"


def work_of_one(uploads: Sequence[Upload], notebook: str) -> Upload:
    """Return a student's file to grade, a zip only without a notebook, or raise `Unreadable`."""
    notebooks = [upload for upload in uploads if upload.suffix == NOTEBOOK]
    chosen = notebooks or [upload for upload in uploads if upload.suffix == ZIP]
    number = the_one_of([upload.name for upload in chosen], notebook)
    if number is not None:
        return chosen[number]
    names = ", ".join(quoted(PurePosixPath(upload.name).name) for upload in chosen[:5])
    raise Unreadable(
        f"expected one notebook, or one named {notebook}{NOTEBOOK}, found {len(chosen)} "
        f"({names or 'none'}). Keep only the one that counts"
    )


def content_of_work(upload: Upload, notebook: str) -> bytes:
    """Return a file's notebook, the file itself or the one in a zip, or raise `Unreadable`."""
    content = upload.read()
    return notebook_in(content, notebook) if upload.suffix == ZIP else content
