"""Opens a student's notebook of a released homework, or says in one sentence why it cannot."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path

from nbformat import NotebookNode

from hw_support.desk import DeskError
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import Unreadable, read_submission
from hw_support.submission.mending import mend
from hw_support.submission.problems import Kind, Problem, quoted
from hw_support.submission.released import Release, closest, first_line, grade_ids_in

_MOST_NAMED = 5  # notebooks in one sentence


@dataclass(frozen=True)
class Opened:
    """A student's notebook."""

    path: Path
    release: Release  # the homework to which it belongs
    content: bytes  # of the file
    notebook: NotebookNode  # with its saved outputs; the instructor's cells are restored
    changes: list[Problem]  # what differed from the released notebook


def open_notebook(path: Path, releases: Sequence[Release]) -> Opened:
    """Read a notebook of one of these homeworks, and restore the instructor's cells in the copy.

    `DeskError` if it cannot be read, or belongs to no homework, or to another one than its name
    says.
    """
    if path.is_dir():
        raise DeskError(f"{path} is a folder. Type the name of the notebook in it.{_beside(path)}")
    if not os.path.lexists(path) and (beside := _beside(path.parent)):
        raise DeskError(f"There is no notebook {path}.{beside}")
    try:
        notebook, problems = read_submission(path, keep_outputs=True)
    except Unreadable as why:
        raise DeskError(f"{str(why)[0].upper()}{str(why)[1:]}.") from None
    release = _release_of(notebook, path, releases)
    before = {grade_id_of(cell): cell.source for cell in notebook.cells}
    changes = [*problems, *mend(notebook, release.cells, release.plain)]
    for i, change in enumerate(changes):
        if change.kind is Kind.EDITED_CELL and change.cell:
            what = difference(before[change.cell], release.cell(change.cell).source)
            changes[i] = replace(change, message=f"{change.message} {what}")
    for cell in notebook.cells:
        if grade_id := grade_id_of(cell):
            cell.metadata["deletable"] = False
            if release.cell(grade_id).locked:
                cell.metadata["editable"] = False
    return Opened(path, release, path.read_bytes(), notebook, changes)


def _beside(folder: Path) -> str:
    """Name the notebooks in a folder; "" if there are none."""
    near = sorted(folder.glob("*.ipynb"))[:_MOST_NAMED]
    return f" Did you mean {' or '.join(map(str, near))}?" if near else ""


def difference(before: str, now: str) -> str:
    """Name the first line in which two texts differ, and the number of other such lines."""
    old, new = ([line.rstrip() for line in text.strip().splitlines()] for text in (before, now))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    blocks = [block for block in matcher.get_opcodes() if block[0] != "equal"]
    kind, here, _, there, _ = blocks[0]
    if kind == "insert":
        what = f"Line {there + 1}, {quoted(new[there])}, is new"
    elif kind == "delete":
        what = f"Line {here + 1}, {quoted(old[here])}, is missing"
    else:
        what = f"Line {here + 1} was {quoted(old[here])} and is now {quoted(new[there])}"
    more = sum(max(b - a, d - c) for _, a, b, c, d in blocks) - 1
    differ = "line differs" if more == 1 else "lines differ"
    return f"{what}; {more} more {differ}." if more else f"{what}."


def _release_of(notebook: NotebookNode, path: Path, releases: Sequence[Release]) -> Release:
    """Return the homework with the most of the notebook's grade ids; its name decides a tie."""
    known = {release.assignment: release for release in releases}
    found = grade_ids_in(notebook)
    candidates = closest(found, {name: release.grade_ids for name, release in known.items()})
    if not found:  # another program has removed all grade ids
        first = first_line(notebook)
        candidates = [name for name, release in known.items() if release.begins == first]
    around = r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])".format
    named = [name for name in known if re.search(around(re.escape(name)), path.stem, re.I)]
    if len(candidates) > 1:
        candidates = [name for name in candidates if name in named] or candidates
    if len(candidates) != 1 or (named and candidates[0] not in named):
        files = " or ".join(release.file_name for release in releases)
        first = first_line(notebook)
        what = f"contains {' or '.join(candidates)}" if candidates else "is no homework"
        begins = f"It begins with {quoted(first)}. " if first else ""
        raise DeskError(
            f"{path.name} {what}. {begins}Type the name of the notebook that you were given, "
            f"{files or 'which is missing here'}, with your answers in it. If this is that "
            "notebook, rename it, or copy your answers into a new copy of the homework."
        )
    release = known[candidates[0]]
    common = found & release.grade_ids
    if 2 * len(common) < len(found) and 2 * len(common) < len(release.grade_ids):
        raise DeskError(
            f"{path.name} belongs to a homework that the installed package hw_support does not "
            f"know. The closest homework that it knows is {release.assignment}: "
            f"{len(common)} of the {len(found)} cells with a grade id are from it. Type in the "
            f"folder of {path.name}: python -m pip install -r requirements.txt"
        )
    return release
