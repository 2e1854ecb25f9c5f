"""Opens a student's notebook; any problem with it becomes one clear sentence."""

import json
import os
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher
from pathlib import Path

from nbformat import NotebookNode

from hw_support.desk.errors import DeskError
from hw_support.submission.belonging import closest, grade_ids_in, named_in
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import Unreadable, read_submission
from hw_support.submission.mending import mend
from hw_support.submission.problems import Kind, Problem, quoted
from hw_support.submission.released import Release, first_line

_SECONDS_TO_ANSWER = 1.0  # for a Jupyter server on this machine
_MOST_NAMED = 5  # notebooks in one sentence
_SECONDS_LATER = 5.0  # the kernel was used so long after the file was saved


@dataclass(frozen=True)
class Opened:
    """A student's notebook."""

    path: Path
    release: Release  # the homework to which it belongs
    content: bytes  # of the file
    notebook: NotebookNode  # with its saved outputs; the instructor's cells are restored
    changes: list[Problem]  # what differed from the released notebook
    unsaved: str | None  # a sentence if the notebook may have unsaved changes

    @property
    def is_restored(self) -> bool:
        """Whether anything was restored: a deleted cell for an answer is not."""
        there = _grade_ids(self.notebook)
        return any(c.kind is not Kind.DELETED_CELL or c.cell in there for c in self.changes)


def open_notebook(path: Path, releases: Sequence[Release]) -> Opened:
    """Read a notebook of one of these homeworks, and restore the instructor's cells in the copy.

    `DeskError` if it cannot be read, or belongs to no homework, or to another one than its name
    says.
    """
    if path.is_dir():
        names = [known.file_name for known in releases]
        there = [name for name in names if (path / name).exists()] or names
        listed = " or ".join(str(path / name) for name in there)
        raise DeskError(f"{path} is a folder. Type the name of the notebook in it: {listed}")
    if not os.path.lexists(path) and (near := _did_you_mean(path)):
        raise DeskError(f"There is no notebook {path}. {near}")
    try:
        notebook, problems = read_submission(path, keep_outputs=True)
    except Unreadable as why:
        said = f"{str(why)[0].upper()}{str(why)[1:]}."
        if path.suffix != ".ipynb":
            said += f" The name of a notebook ends in .ipynb. {_did_you_mean(path)}".rstrip()
        raise DeskError(said) from None
    release = _release_of(notebook, path, releases)
    before = {grade_id_of(cell): cell.source for cell in notebook.cells}
    changes = [*problems, *mend(notebook, release.cells, release.plain)]
    for i, change in enumerate(changes):
        if change.kind is Kind.EDITED_CELL and change.cell:
            what = difference(before[change.cell], release.cell(change.cell).source)
            changes[i] = replace(change, message=f"{change.message} {what}")
        elif change.kind is Kind.DELETED_CELL and change.cell not in _grade_ids(notebook):
            what = "To get it back, copy it from a new copy of the homework."
            changes[i] = replace(change, message=f"{change.message} {what}")
    for cell in notebook.cells:
        if grade_id := grade_id_of(cell):
            cell.metadata["deletable"] = False
            if release.cell(grade_id).locked:
                cell.metadata["editable"] = False
    return Opened(path, release, path.read_bytes(), notebook, changes, _unsaved(path))


def _did_you_mean(path: Path) -> str:
    """Name the notebooks beside a path, or only the one that has its name; "" if none."""
    near = sorted(path.parent.glob("*.ipynb"))
    ending = path.with_name(f"{path.name}.ipynb")
    near = [ending] if ending in near else near[:_MOST_NAMED]
    return f"Did you mean {' or '.join(map(str, near))}?" if near else ""


def _grade_ids(notebook: NotebookNode) -> set[str | None]:
    return {grade_id_of(cell) for cell in notebook.cells}


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
    known = {release.assignment: release for release in releases}
    homeworks = {name: release.grade_ids for name, release in known.items()}
    found = grade_ids_in(notebook)
    candidates = closest(found, homeworks)
    if not found:  # another program has removed all grade ids
        first = first_line(notebook)
        candidates = [name for name, release in known.items() if release.begins == first]
    named = named_in(path, known)
    if not candidates:
        raise DeskError(_is_none(notebook, path, releases))
    if len(candidates) > 1:
        candidates = [name for name in candidates if name in named] or candidates
    if len(candidates) > 1:
        files = " or ".join(known[name].file_name for name in candidates)
        raise DeskError(
            f"{path.name} may be {' or '.join(candidates)}: it has equally many cells of each. "
            f"Save it under the name of the right homework, {files}, and run this command again."
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
    if named and release.assignment not in named:
        other = known[named[0]]
        raise DeskError(
            f"{path.name} contains {release.assignment}: it has {len(common)} cells of "
            f"{release.assignment} and {len(found & other.grade_ids)} of {other.assignment}. If "
            f"it is your {release.assignment}, rename it to {release.file_name}. The notebook of "
            f"{other.assignment} begins with {quoted(other.begins, 90)}."
        )
    return release


def _is_none(notebook: NotebookNode, path: Path, releases: Sequence[Release]) -> str:
    if not releases:
        return (
            "The installed package hw_support knows no homework. Type in the folder of "
            f"{path.name}: python -m pip install --force-reinstall -r requirements.txt"
        )
    first = first_line(notebook)
    begins = f"It begins with {quoted(first)}." if first else "It is empty."
    names = ", ".join(release.assignment for release in releases)
    files = " or ".join(release.file_name for release in releases)
    what = f"is not {names}: it has none of this homework's cells"
    if len(releases) > 1:
        what = f"is none of the homeworks {names}: it has none of their cells"
    return (
        f"{path.name} {what}. {begins} Type the name of the notebook that you were given, {files}, "
        "with your answers in it. If this is that notebook, another program has removed the grade "
        "ids of its cells: copy your answers into a new copy of the homework."
    )


def _unsaved(path: Path) -> str | None:
    """Return a sentence if a notebook's kernel was used after the file was saved."""
    saved = path.stat().st_mtime
    for used in _uses(path):
        if used > saved + _SECONDS_LATER:
            when = [time.strftime("%H:%M:%S", time.localtime(t)) for t in (saved, used)]
            return (
                f"{path.name} is open in Jupyter. You saved it at {when[0]} and used its kernel "
                f"at {when[1]}. Changes since you saved are not in the file: save it (Ctrl-S), "
                "then run this command again."
            )
    return None


def _uses(path: Path) -> Iterator[float]:
    """Yield when this notebook's kernels, in all of this user's Jupyter servers, were last used."""
    from jupyter_core.paths import jupyter_runtime_dir

    for file in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        try:
            server = json.loads(file.read_text(encoding="utf-8"))
            url = f"{server['url']}api/sessions"
            if not url.startswith(("http://localhost", "http://127.0.0.1")):
                continue
            token = {"Authorization": f"token {server['token']}"}
            request = urllib.request.Request(url, headers=token)
            with urllib.request.urlopen(request, timeout=_SECONDS_TO_ANSWER) as answer:
                sessions = json.load(answer)
            for session in sessions:
                notebook = os.path.join(server["root_dir"], session["path"])
                if os.path.realpath(notebook) == os.path.realpath(path):
                    yield datetime.fromisoformat(session["kernel"]["last_activity"]).timestamp()
        except (OSError, ValueError, KeyError, TypeError):
            continue  # the server has ended or needs a password
