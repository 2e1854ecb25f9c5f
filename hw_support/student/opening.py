"""Opens a student's notebook of a released homework, or says in one sentence why it cannot."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import UserError, read_submission
from hw_support.submission.problems import Problem, quoted
from hw_support.submission.released import ENDING, Release, first_line, grade_ids_in, releases_for
from hw_support.submission.repairing import repair


@dataclass(frozen=True)
class Opened:
    """A student's notebook."""

    path: Path
    release: Release  # the homework to which it belongs
    content: bytes  # of the file
    notebook: NotebookNode  # with its saved outputs; the instructor's cells are restored
    changes: list[Problem]  # what differed from the released notebook

    @property
    def certification(self) -> str:
        """The text of the certification; "" if the homework has none."""
        name = self.release.certification
        return next((c.source for c in self.notebook.cells if name and grade_id_of(c) == name), "")


def open_notebook(path: Path, releases: Sequence[Release] | None = None) -> Opened:
    """Read a notebook of one of these releases, and restore the instructor's cells in the copy.

    Without `releases`, they are those beside it; see `releases_for`. `UserError` if it cannot be
    read, or belongs to no homework, or to another one than its name says.
    """
    try:
        notebook = read_submission(path, keep_outputs=True)
        releases = releases_for(path) if releases is None else releases
    except UserError as why:
        raise UserError(f"{str(why)[0].upper()}{str(why)[1:]}.") from None
    release = _release_of(notebook, path, releases)
    changes = repair(notebook, release.cells, release.plain)
    return Opened(path, release, path.read_bytes(), notebook, changes)


def name_of(cell: NotebookNode) -> str:
    """Return a cell's name for messages to the student."""
    if grade_id := grade_id_of(cell):
        return f"Cell {grade_id}"
    return f"The cell that begins with {quoted(cell.source.strip().partition(chr(10))[0], 40)}"


def _release_of(notebook: NotebookNode, path: Path, releases: Sequence[Release]) -> Release:
    """Return the release with the most of the notebook's grade ids; its name decides a tie."""
    if not releases:
        raise UserError(
            f"{path.name} has to be compared with the notebook that you were given. Expected its "
            f"description, {path.stem}{ENDING}, beside it, found none. It is in the folder or the "
            "zip of the homework: move your notebook there, or copy the description."
        )
    found, first = grade_ids_in(notebook), first_line(notebook)
    name = r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])".format
    named = [r for r in releases if re.search(name(re.escape(r.notebook)), path.stem, re.I)]
    # Another program may remove all grade ids.
    common = [len(found & r.grade_ids) if found else int(r.begins == first) for r in releases]
    most = max(common, default=0)
    closest = [r for r, number in zip(releases, common, strict=True) if number == most > 0]
    chosen = [release for release in closest if release in named] if named else closest
    if len(chosen) != 1:
        files = " or ".join(release.file_name for release in releases)
        contains = " or ".join(release.notebook for release in closest)
        what = f"contains {contains}" if contains else "is no homework"
        begins = f"It begins with {quoted(first)}. " if first else ""
        raise UserError(
            f"{path.name} {what}. {begins}Type the name of the notebook that you were given, "
            f"{files}, with your answers in it. If this is that notebook, rename it, or copy your "
            "answers into a new copy of the homework."
        )
    if found and 2 * most < len(found) and 2 * most < len(chosen[0].grade_ids):
        raise UserError(
            f"{path.name} belongs to another homework than {chosen[0].notebook}{ENDING}, with "
            f"which it was compared: {most} of the {len(found)} cells with a grade id are from "
            f"{chosen[0].file_name}. Type the command in the folder of your homework."
        )
    return chosen[0]
