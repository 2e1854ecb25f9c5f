"""Opens a student's notebook; whatever is wrong with it ends in one clear sentence."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from hw_support.desk.errors import DeskError
from hw_support.submission.file import read_submission
from hw_support.submission.mending import grade_id_of, mend
from hw_support.submission.problems import Kind, Problem, Severity, shown
from hw_support.submission.released import Release

_SECONDS_TO_ANSWER = 1.0  # for a Jupyter server on this machine
_SECONDS_LATER = 5.0  # by which a kernel was used after the file was saved


@dataclass(frozen=True)
class Opened:
    """A notebook that was read.

    Attributes
    ----------
    path
        The file.
    content
        Its bytes.
    notebook
        As it was saved, outputs included, with the instructor's cells put back.
    changes
        What was not as it was handed out.
    unsaved
        A sentence, if it may have been changed since it was saved.
    """

    path: Path
    content: bytes
    notebook: NotebookNode
    changes: list[Problem]
    unsaved: str | None


def open_notebook(path: Path, release: Release) -> Opened:
    """Read a notebook of this homework, and put the instructor's cells back in the copy.

    Raises
    ------
    DeskError
        It cannot be read, or is another notebook.
    """
    if path.is_dir():
        raise DeskError(f"{path} is a folder. Name the notebook in it: {path / release.file_name}")
    notebook, problems = read_submission(path, keep_outputs=True)
    for problem in problems:
        if problem.kind is Kind.FILE and problem.severity is Severity.FAILED:
            raise DeskError(problem.message.removesuffix(" It scores 0."))
    known = {cell.grade_id for cell in release.cells}
    if not any(grade_id_of(cell) in known for cell in notebook.cells):
        raise DeskError(
            f"{path.name} is not {release.assignment}: none of this homework's cells is in it. "
            f"It begins {shown(_first_line(notebook))}. Name the file that you were given as "
            f"{release.file_name}, with your answers in it."
        )
    before = {grade_id_of(cell): cell.source for cell in notebook.cells}
    changes = [*problems, *mend(notebook, release.cells)]
    for i, change in enumerate(changes):
        if change.kind is Kind.EDITED_CELL and change.cell:
            what = difference(before[change.cell], release.cell(change.cell).source)
            changes[i] = replace(change, message=f"{change.message} {what}")
    for cell in notebook.cells:
        if grade_id := grade_id_of(cell):
            cell.metadata["deletable"] = False
            if release.cell(grade_id).locked:
                cell.metadata["editable"] = False
    return Opened(path, path.read_bytes(), notebook, changes, _unsaved(path))


def difference(before: str, now: str) -> str:
    """Say in a sentence by what line a text first differs from another, and how many more do."""
    old, new = ([line.rstrip() for line in text.strip().splitlines()] for text in (before, now))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    blocks = [block for block in matcher.get_opcodes() if block[0] != "equal"]
    kind, here, _, there, _ = blocks[0]
    if kind == "insert":
        what = f"New is its line {there + 1}, {shown(new[there])}"
    elif kind == "delete":
        what = f"Its line {here + 1}, {shown(old[here])}, is gone"
    else:
        what = f"Its line {here + 1} was {shown(old[here])} and is {shown(new[there])} now"
    more = sum(max(b - a, d - c) for _, a, b, c, d in blocks) - 1
    return what + (
        f"; {more} more {'line differs' if more == 1 else 'lines differ'}." if more else "."
    )


def _first_line(notebook: NotebookNode) -> str:
    lines = (line for cell in notebook.cells for line in cell.source.splitlines() if line.strip())
    return next(lines, "with nothing")


# -- a notebook that is open in Jupyter


def _unsaved(path: Path) -> str | None:
    """Say whether the kernel of an open notebook was used after the file was saved."""
    saved = path.stat().st_mtime
    for session in _sessions(path):
        used = _seconds(str(session.get("kernel", {}).get("last_activity", "")))
        if used > saved + _SECONDS_LATER:
            when = [time.strftime("%H:%M:%S", time.localtime(t)) for t in (saved, used)]
            return (
                f"{path.name} is open in Jupyter and was saved at {when[0]}, but its kernel was "
                f"used at {when[1]}. What you changed since is not in the file: save it (Ctrl-S), "
                "then do this again."
            )
    return None


def _sessions(path: Path) -> Iterator[dict[str, Any]]:
    """Give the sessions of this notebook in all Jupyter servers of this user."""
    from jupyter_core.paths import jupyter_runtime_dir

    for file in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        try:
            server = json.loads(file.read_text(encoding="utf-8"))
            url = f"{server['url']}api/sessions"
            if not url.startswith(("http://localhost", "http://127.0.0.1")):
                continue
            request = urllib.request.Request(
                url, headers={"Authorization": f"token {server['token']}"}
            )
            with urllib.request.urlopen(request, timeout=_SECONDS_TO_ANSWER) as answer:
                sessions = json.load(answer)
            there = os.path.realpath(path)
            for session in sessions:
                if os.path.realpath(os.path.join(server["root_dir"], session["path"])) == there:
                    yield session
        except (OSError, ValueError, KeyError, TypeError, urllib.error.URLError):
            continue  # it has ended, or asks for a password


def _seconds(moment: str) -> float:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return 0.0
