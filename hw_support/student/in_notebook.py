"""The student's commands as functions: cells of a notebook call them, and no terminal is needed.

They work on the notebook's file as it was last saved. While a notebook is graded, or a copy of it
is run, they do nothing.
"""

import codecs
import contextlib
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

# Set for a copy that `hw_support.student.running` runs.
COPY_VARIABLE = "HW_SUPPORT_COPY"
# Set for a command that a cell of a notebook has started.
NOTEBOOK_VARIABLE = "HW_SUPPORT_NOTEBOOK"
_ENDING = ".released.json"
_HOURS = 12  # since a file was saved; a time of day is enough until then
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


def pdf(notebook: str = "", *, answers: bool = False, run: bool = False) -> None:
    """Make a PDF of this notebook; with `answers`, the course's long texts are left out.

    Its outputs are those that were saved; with `run`, those of a copy that is run from the top.
    """
    if path := _file(notebook, "pdf"):
        words = [word for word, is_given in (("--answers", answers), ("--run", run)) if is_given]
        said = _run("pdf", path, *words)
        made = path.with_suffix(".pdf")
        if str(made) in said:
            _link(made)


def _file(notebook: str, command: str) -> Path | None:
    """Return the file of this notebook, and print when it was saved; None if nothing is to do."""
    if os.environ.get("NBGRADER_EXECUTION") or os.environ.get(COPY_VARIABLE):
        print(f"{command}: nothing is done while this notebook is graded or checked.")
        return None
    found = [Path(notebook)] if notebook else _candidates()
    if len(found) == 1 and found[0].is_file():
        path = found[0].resolve()
        print(f"{path.name} as it was saved {_saved(path)}", flush=True)
        return path
    if notebook:
        print(f"There is no file {notebook} in the folder {Path.cwd()}.")
        found = _candidates()
    elif not found:
        print(f"No notebook of a homework is in the folder {Path.cwd()}.")
    if found:
        print("Which of these is the notebook that you are working in?")
        for path in found:
            print(f'  hw_support.{command}("{path.name}")   saved {_saved(path)}')
        print("Type its line into this cell, and run it.")
    else:
        print("The notebook has to be in the folder of the homework, beside the file that ends in")
        print(f"{_ENDING}. Move it there, or type its path: ", end="")
        print(f'hw_support.{command}("/the/folder/homework.ipynb")')
    return None


def _saved(path: Path) -> str:
    saved = datetime.fromtimestamp(path.stat().st_mtime)
    minutes = (datetime.now() - saved).total_seconds() // 60
    if minutes < _HOURS * 60:
        ago = f"{minutes:.0f} minutes ago" if minutes >= 2 else "just now"
        return f"at {saved:%H:%M:%S}, {ago}"
    return f"on {saved:%d %B at %H:%M}"


def _candidates() -> list[Path]:
    """Return the open notebook, if the program says which that is, or all of a homework here."""
    session = os.environ.get("JPY_SESSION_NAME", "")  # of Jupyter
    names = vars(sys.modules["__main__"])  # where VS Code leaves the file
    for name in (session, str(names.get("__vsc_ipynb_file__", ""))):
        for path in (Path(name), Path(Path(name).name)):
            if name.endswith(".ipynb") and path.is_file():
                return [path]
    return [path for path in sorted(Path().glob("*.ipynb")) if _is_of_a_homework(path)]


def _is_of_a_homework(path: Path) -> bool:
    """Whether a notebook is a homework described here, under whatever name."""
    from hw_support.errors import UserError
    from hw_support.student.opening import open_notebook

    if path.with_suffix(_ENDING).is_file():
        return True
    with contextlib.suppress(UserError):
        return bool(open_notebook(path))
    return False


def _run(command: str, path: Path, *words: str) -> str:
    """Run a command; show at once what it prints, also its progress, and return that."""
    folders = [str(_PACKAGE), os.environ.get("PYTHONPATH", "")]
    added = {"PYTHONIOENCODING": "utf-8", NOTEBOOK_VARIABLE: "1"}
    said, decoder = "", codecs.getincrementaldecoder("utf-8")("replace")
    child = subprocess.Popen(
        [sys.executable, "-m", "hw_support", command, str(path), *words],
        env={**os.environ, **added, "PYTHONPATH": os.pathsep.join(filter(None, folders))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        with child:
            assert child.stdout
            # Not by lines: a bar of progress has no end of line.
            while piece := os.read(child.stdout.fileno(), 1 << 16):
                text = decoder.decode(piece)
                print(text, end="", flush=True)
                said += text
    finally:
        child.kill()  # if this cell was interrupted; otherwise it has ended
    return said.replace("\r\n", "\n")


def _link(path: Path) -> None:
    """Show a link to a file that was made, where IPython can."""
    try:
        from IPython.display import FileLink, display
    except ImportError:
        return
    display(FileLink(os.path.relpath(path)))
