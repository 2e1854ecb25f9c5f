"""The student's commands as functions: cells of a notebook call them, and no terminal is needed.

They work on the notebook as it is on the screen, or as it was last saved, as `finding` finds it.
While a notebook is graded, or a copy of it is run, they do nothing.
"""

import codecs
import contextlib
import functools
import importlib
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from hw_support.errors import UserError
from hw_support.student.doctor import Line, lines, told
from hw_support.student.finding import Found, find

# Set for a copy that `hw_support.student.running` runs.
COPY_VARIABLE = "HW_SUPPORT_COPY"
# Set for a command that a cell of a notebook has started.
NOTEBOOK_VARIABLE = "HW_SUPPORT_NOTEBOOK"
_PACKAGE = Path(__file__).resolve().parents[2]
_checked: set[str] = set()  # the sources of notebooks that `check` has run


def check(notebook: str = "") -> None:
    """Run a copy of this notebook as the grader does, and print what is left to do.

    `notebook` is the name of its file, if it is not found without.
    """
    if found := _found(notebook, "check"):
        _checked.add(_code_in(found.path))
        _run("check", found.path)


def zip(notebook: str = "", *, student: str = "") -> None:
    """Pack the file that you submit, after a check, unless `check` has run on the same file.

    `student` is your student id, if the certification does not have it.
    """
    if found := _found(notebook, "zip"):
        words = ["--to", str(found.folder), *(["--student", student] if student else [])]
        if _code_in(found.path) in _checked:
            words.append("--no-check")
        said = _run("zip", found.path, *words)
        if made := re.search(r"^(.+\.zip)$", said, re.MULTILINE):
            _link(Path(made[1]))


def pdf(notebook: str = "", *, answers: bool = False, run: bool = False) -> None:
    """Make a PDF of this notebook; with `answers`, the course's long texts are left out.

    Its outputs are those that were saved; with `run`, those of a copy that is run from the top.
    """
    if found := _found(notebook, "pdf"):
        words = [word for word, is_given in (("--answers", answers), ("--run", run)) if is_given]
        said = _run("pdf", found.path, "--to", str(found.folder), *words)
        made = found.folder / found.path.with_suffix(".pdf").name
        if str(made) in said:
            _link(made)


def doctor() -> bool:
    """Print a line for each thing that the homework needs; return whether all are fine.

    In a notebook: ``hw_support.doctor();``. Its first line names the notebook.
    """
    if _is_run_by_us("doctor"):
        return True
    try:
        found = find("", "check")
        line = Line("notebook", f"{found.path.name} {found.state}")
    except UserError as why:
        line = Line("notebook", "not found", str(why).replace("\n", "\n      "))
    return told(itertools.chain([line], lines()), functools.partial(print, flush=True))


def _found(notebook: str, command: str) -> Found | None:
    """Return this notebook, and print its state; None if nothing is to do."""
    if _is_run_by_us(command):
        return None
    try:
        found = find(notebook, command)
    except UserError as why:
        print(why)
        return None
    print(f"{found.path.name} {found.state}", flush=True)
    return found


def _is_run_by_us(command: str) -> bool:
    if os.environ.get("NBGRADER_EXECUTION") or os.environ.get(COPY_VARIABLE):
        print(f"{command}: nothing is done while this notebook is graded or checked.")
        return True
    return False


def _code_in(path: Path) -> str:
    """Return what decides a check: the sources of a notebook, without its outputs."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        return repr([(cell["cell_type"], cell["source"]) for cell in json.loads(text)["cells"]])
    except (ValueError, TypeError, KeyError):
        return text


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
    """Show a link to a file that was made, where IPython can; Colab downloads it."""
    if "google.colab" in sys.modules:
        with contextlib.suppress(Exception):  # the file is there, and its path is printed
            importlib.import_module("google.colab.files").download(str(path))
        return
    try:
        from IPython.display import FileLink, display
    except ImportError:
        return
    display(FileLink(os.path.relpath(path)))
