"""Recognises the platform of a download, and lists its submissions."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from types import ModuleType

from hw_grading.homework.homework import file_name_pattern
from hw_grading.term import canvas, gradescope, moodle, plain
from hw_grading.term.download import Download, open_downloads
from hw_grading.term.found import Found, LeftOut, Sorting
from hw_grading.term.showing import files_in_words
from hw_support.submission.file import Unreadable

_PLATFORMS = (gradescope, moodle, canvas)  # the most certain one first


def found_in(
    paths: Sequence[Path], homework: str, zone: tzinfo, stack: ExitStack
) -> tuple[list[Found], list[LeftOut]]:
    """Return the submissions in downloads, and the files that fit nobody.

    `zone` is that of a platform's times without one. Raises `Unreadable` if no download can be
    opened.
    """
    left_out: list[LeftOut] = []
    downloads = _opened(paths, homework, stack, left_out)
    if not downloads:
        raise Unreadable(f"No download could be opened:\n{files_in_words(left_out)}")
    found: list[Found] = []
    for download in downloads:
        platform = _platform_of(download) or plain
        into = Sorting(platform.PLATFORM, download.name, homework, zone)
        platform.sort(download.files, into)
        found += into.found
        left_out += into.left_out
    return found, left_out


def is_of_a_platform(path: Path, homework: str) -> bool:
    """Whether a folder has files named by a platform, not only ``<student>_ps1.ipynb``."""
    with ExitStack() as stack:
        return any(map(_platform_of, _opened([path], homework, stack, [])))


def _opened(
    paths: Sequence[Path], homework: str, stack: ExitStack, left_out: list[LeftOut]
) -> list[Download]:
    plainly = re.compile(file_name_pattern([homework]))

    def is_one_students(name: str) -> bool:
        return bool(plainly.match(name)) or canvas.is_named_so(name) or moodle.is_named_so(name)

    return open_downloads(paths, is_one_students, stack, left_out)


def _platform_of(download: Download) -> ModuleType | None:
    return next((p for p in _PLATFORMS if p.recognises(download.files)), None)
