"""Recognises the platform of a download, and lists its submissions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from types import ModuleType

from hw_grading.homework.homework import file_name_pattern
from hw_grading.term import canvas, gradescope, moodle, plain
from hw_grading.term.download import Download, open_downloads
from hw_grading.term.found import Found, LeftOut, Sorted
from hw_grading.term.showing import files_in_words
from hw_support.submission.file import Unreadable

_PLATFORMS = (gradescope, moodle, canvas)  # the most certain one first


def found_in(
    paths: Sequence[Path], homework: str, zone: tzinfo, stack: ExitStack
) -> tuple[list[Found], list[LeftOut]]:
    """Return the submissions in downloads, and the files that fit nobody.

    `zone` is that of a platform's times without one. `stack` keeps the zips open. Raises
    `Unreadable` if no download can be opened.
    """
    downloads, left_out = _opened(paths, homework, stack)
    if not downloads:
        raise Unreadable(f"No download could be opened:\n{files_in_words(left_out)}")
    found: list[Found] = []
    for download in downloads:
        of_this, not_of_this = _sorted(download, homework, zone)
        found += of_this
        left_out += not_of_this
    return found, left_out


def is_of_a_platform(path: Path, homework: str) -> bool:
    """Whether a folder has files named by a platform, not only ``<student>_ps1.ipynb``."""
    with ExitStack() as stack:
        downloads, _ = _opened([path], homework, stack)
        return any(_platform_of(download) for download in downloads)


def _opened(
    paths: Sequence[Path], homework: str, stack: ExitStack
) -> tuple[list[Download], list[LeftOut]]:
    named_plainly = re.compile(file_name_pattern([homework]))

    def is_one_students(name: str) -> bool:
        return (
            bool(named_plainly.match(name)) or canvas.is_named_so(name) or moodle.is_named_so(name)
        )

    downloads: list[Download] = []
    left_out: list[LeftOut] = []
    for path in paths:
        opened, why_not = open_downloads(path, is_one_students, stack)
        downloads += opened
        left_out += why_not
    return downloads, left_out


def _platform_of(download: Download) -> ModuleType | None:
    return next((p for p in _PLATFORMS if p.recognises(download.files)), None)


def _sorted(download: Download, homework: str, zone: tzinfo) -> Sorted:
    files, name = download.files, download.name
    platform = _platform_of(download) or plain
    if platform is gradescope:
        return gradescope.sort(files, name, homework, zone)
    found: Sorted = platform.sort(files, name, homework)
    return found
