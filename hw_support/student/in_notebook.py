"""The student's commands as functions: cells of a notebook call them, and no terminal is needed.

They work on the notebook's file as it was last saved. While a notebook is graded, or a copy of it
is run, they do nothing.
"""

import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

# Set for a copy that `hw_support.student.running` runs.
COPY_VARIABLE = "HW_SUPPORT_COPY"
_PACKAGE = Path(__file__).resolve().parents[2]
_checked: set[tuple[Path, float]] = set()  # files that `check` has run, by the time of saving


def check(notebook: str = "") -> None:
    """Run a copy of this notebook as the grader does, and print what is left to do.

    `notebook` is the name of its file, if it is not found without.
    """
    if path := _file(notebook, "check"):
        _checked.add((path, path.stat().st_mtime))
        _run("check", path)


def zip(notebook: str = "", *, student: str = "") -> None:
    """Pack the file that you submit, after a check, unless `check` has run on the same file.

    `student` is your student id, if the certification does not have it.
    """
    if path := _file(notebook, "zip"):
        words = ["--student", student] if student else []
        if (path, path.stat().st_mtime) in _checked:
            words.append("--no-check")
        said = _run("zip", path, *words)
        if made := re.search(r"^(.+\.zip)$", said, re.MULTILINE):
            _link(Path(made[1]))


def pdf(notebook: str = "", *, answers: bool = False) -> None:
    """Make a PDF of this notebook; with `answers`, the course's long texts are left out."""
    if path := _file(notebook, "pdf"):
        said = _run("pdf", path, *(["--answers"] if answers else []))
        made = path.with_suffix(".pdf")
        if str(made) in said:
            _link(made)


def _file(notebook: str, command: str) -> Path | None:
    """Return the file of this notebook, and print when it was saved; None if nothing is to do."""
    if os.environ.get("NBGRADER_EXECUTION") or os.environ.get(COPY_VARIABLE):
        print(f"{command}: nothing is done while this notebook is graded or checked.")
        return None
    found = [Path(notebook)] if notebook else _candidates()
    if len(found) != 1 or not found[0].is_file():
        names = ", ".join(path.name for path in found) or "none"
        example = f'hw_support.{command}("notebook.ipynb")'
        print(f"Expected one notebook of a homework in this folder, found {names}.")
        print(f"Type the name of this notebook's file between the brackets: {example}")
        return None
    path = found[0].resolve()
    saved = datetime.fromtimestamp(path.stat().st_mtime)
    minutes = (datetime.now() - saved).total_seconds() // 60
    ago = f"{minutes:.0f} minutes ago" if minutes >= 2 else "just now"
    print(f"{path.name} as it was saved at {saved:%H:%M:%S}, {ago}", flush=True)
    return path


def _candidates() -> list[Path]:
    """Return the notebook that Jupyter names, or those with the description of a homework."""
    session = os.environ.get("JPY_SESSION_NAME", "")
    if session.endswith(".ipynb") and (path := Path(Path(session).name)).is_file():
        return [path]
    return [p for p in sorted(Path().glob("*.ipynb")) if p.with_suffix(".released.json").is_file()]


def _run(command: str, path: Path, *words: str) -> str:
    """Run a command, print what it says, and return that."""
    folders = [str(_PACKAGE), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", "hw_support", command, str(path), *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    said = done.stdout + done.stderr
    print(said, end="")
    return said


def _link(path: Path) -> None:
    """Show a link to a file that was made, where IPython can."""
    try:
        from IPython.display import FileLink, display
    except ImportError:
        return
    display(FileLink(os.path.relpath(path)))
