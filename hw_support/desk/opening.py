"""Opens a student's notebook of a released homework, or says in one sentence why it cannot."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbformat import NotebookNode

from hw_support.desk import DeskError
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import UserError, read_submission
from hw_support.submission.mending import mend
from hw_support.submission.problems import Kind, Problem, quoted
from hw_support.submission.released import Release, first_line, grade_ids_in


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
    try:
        notebook = read_submission(path, keep_outputs=True)
    except UserError as why:
        raise DeskError(f"{str(why)[0].upper()}{str(why)[1:]}.") from None
    release = _release_of(notebook, path, releases)
    before = {grade_id_of(cell): cell.source for cell in notebook.cells}
    changes = mend(notebook, release.cells, release.plain)
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


def difference(before: str, now: str) -> str:
    """Name the first line in which two texts differ, before and now."""
    old, new = ([line.rstrip() for line in text.strip().splitlines()] for text in (before, now))
    lines = [line for line in difflib.ndiff(old, new) if line[:2] in ("- ", "+ ")]
    removed = next((line[2:] for line in lines if line[0] == "-"), None)
    added = next((line[2:] for line in lines if line[0] == "+"), None)
    if removed is None or added is None:
        what, line = ("is missing", removed) if added is None else ("is new", added)
        return f"The line {quoted(line)} {what}."
    return f"The line {quoted(removed)} is now {quoted(added)}."


def _release_of(notebook: NotebookNode, path: Path, releases: Sequence[Release]) -> Release:
    """Return the homework with the most of the notebook's grade ids; its name decides a tie."""
    found, first = grade_ids_in(notebook), first_line(notebook)
    around = r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])".format

    def is_named(release: Release) -> bool:
        return bool(re.search(around(re.escape(release.assignment)), path.stem, re.I))

    def common(release: Release) -> int:
        """Return the number of cells of a homework; another program may remove all grade ids."""
        return len(found & release.grade_ids) if found else release.begins == first

    most = max(map(common, releases), default=0)
    closest = [release for release in releases if common(release) == most > 0]
    named = [release for release in closest if is_named(release)]
    chosen = named if len(closest) > 1 and named else closest
    if len(chosen) != 1 or (any(map(is_named, releases)) and not named):
        files = " or ".join(release.file_name for release in releases)
        contains = " or ".join(release.assignment for release in closest)
        what = f"contains {contains}" if contains else "is no homework"
        begins = f"It begins with {quoted(first)}. " if first else ""
        raise DeskError(
            f"{path.name} {what}. {begins}Type the name of the notebook that you were given, "
            f"{files or 'which is missing here'}, with your answers in it. If this is that "
            "notebook, rename it, or copy your answers into a new copy of the homework."
        )
    release = chosen[0]
    if found and 2 * most < len(found) and 2 * most < len(release.grade_ids):
        raise DeskError(
            f"{path.name} belongs to a homework that this package hw_support does not know. The "
            f"closest homework that it knows is {release.assignment}: {most} of the {len(found)} "
            "cells with a grade id are from it. Type the command in the folder of your homework"
        )
    return release
