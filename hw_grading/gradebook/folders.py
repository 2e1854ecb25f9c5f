"""What is in a student's folder, and whether it can be graded."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from hw_support.submission.problems import quoted

MOST_LISTED = 10_000
_DEEPEST = 100  # nested folders: Python 3.11 fails at a few hundred


def why_unusable(folder: Path) -> str | None:
    """Return why a folder in `submitted/` cannot be graded, and what to do; None if it can."""
    if os.path.islink(folder) or os.path.islink(folder.parent):
        return "it is a symbolic link. Replace it with a copy of its target"
    for path in itertools.islice(files_below(folder, folders=True), MOST_LISTED):
        if len(path.parts) - len(folder.parts) > _DEEPEST:
            inner = path.parts[len(folder.parts)]
            return f"it has more than {_DEEPEST} folders within {quoted(inner)}. Remove them"
    return None


def files_below(folder: Path, *, folders: bool = False) -> Iterator[Path]:
    """Yield all files below a folder, or all folders below it. Links are not followed."""
    left = [folder]
    while left:
        here = left.pop()
        try:
            entries = list(os.scandir(here))
        except OSError:
            continue
        inner = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        if len(here.parts) - len(folder.parts) <= _DEEPEST:
            left += inner
        if folders:
            yield from inner
        else:
            yield from (Path(e.path) for e in entries if not e.is_dir(follow_symlinks=False))
