"""Recognises the platform of a download, and lists its submissions."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from types import ModuleType

from hw_grading.records.downloads import Upload
from hw_grading.term import canvas, gradescope, moodle, plain
from hw_grading.term.download import open_downloads
from hw_grading.term.found import Found, LeftOut, Sorting
from hw_grading.term.showing import files_in_words
from hw_support.submission.file import Unreadable

_PLATFORMS = (gradescope, moodle, canvas)  # the most certain one first


def found_in(
    paths: Sequence[Path], homework: str, zone: tzinfo, stack: ExitStack
) -> tuple[list[Found], list[LeftOut]]:
    """Return the submissions in downloads, and the files that match no student.

    `zone` is that of a platform's times without one. Raises `Unreadable` if no download can be
    opened.
    """
    left_out: list[LeftOut] = []
    downloads = open_downloads(paths, homework, stack, left_out)
    if not downloads:
        raise Unreadable(f"No download could be opened:\n{files_in_words(left_out)}")
    found: list[Found] = []
    for name, files in downloads:
        platform = _platform_of(files) or plain
        into = Sorting(platform.PLATFORM, name, homework, zone)
        platform.sort(files, into)
        found += into.found
        left_out += into.left_out
    return found, left_out


def is_of_a_platform(path: Path, homework: str) -> bool:
    """Whether a platform named files in a folder; ``<student>_ps1.ipynb`` alone does not count."""
    with ExitStack() as stack:
        return any(_platform_of(files) for _, files in open_downloads([path], homework, stack, []))


def _platform_of(files: Sequence[Upload]) -> ModuleType | None:
    return next((p for p in _PLATFORMS if p.recognises(files)), None)
