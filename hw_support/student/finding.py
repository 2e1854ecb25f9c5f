"""Finds the notebook in which a command was called, in whatever program it is open.

- **VS Code** leaves the path of the file in the notebook's own names.
- **Jupyter's server** leaves it in the environment of the kernel: as a path of this machine, or one
  below the server's folder, which need not be the kernel's.
- **Colab** has no file. It hands out the notebook as it is on the screen, if it is asked.

Elsewhere the only homework of the folder is taken. If there are several, the student names one.
"""

import contextlib
import importlib
import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hw_support.errors import UserError

_ENDING = ".released.json"
_HOURS = 12  # since a file was saved; a time of day is enough until then
_LONGEST = 80  # characters of a file's name
_SECONDS = 30  # for Colab to hand out a notebook, with its pictures
_on_screen: list[tempfile.TemporaryDirectory[str]] = []  # with Colab's notebook; deleted at the end


@dataclass(frozen=True)
class Found:
    """A notebook's file."""

    path: Path
    state: str  # when it was saved, in words
    folder: Path  # in which files are written that are made of it


def find(name: str, command: str) -> Found:
    """Return the notebook of this name, or else the one that is open.

    `command` is the function that was called; the `UserError` says what to type.
    """
    here = Path.cwd()
    if name:
        if Path(name).is_file():
            return _saved_file(Path(name))
        raise UserError(
            "\n".join([f"There is no file {name} in the folder {here}.", *_how(command)])
        )
    if path := _open_file():
        return _saved_file(path)
    if "google.colab" in sys.modules:
        return _on_the_screen(command)
    if len(homeworks := _homeworks()) == 1:
        return _saved_file(homeworks[0])
    first = [] if homeworks else [f"No notebook of a homework is in the folder {here}."]
    raise UserError("\n".join([*first, *_how(command)]))


def _saved_file(path: Path) -> Found:
    return Found(path.resolve(), f"as it was saved {_saved(path)}", path.resolve().parent)


def _saved(path: Path) -> str:
    saved = datetime.fromtimestamp(path.stat().st_mtime)
    minutes = (datetime.now() - saved).total_seconds() // 60
    if minutes < _HOURS * 60:
        ago = f"{minutes:.0f} minutes ago" if minutes >= 2 else "just now"
        return f"at {saved:%H:%M:%S}, {ago}"
    return f"on {saved:%d %B at %H:%M}"


def _open_file() -> Path | None:
    """Return the file of the open notebook, if the program says which that is."""
    names = vars(sys.modules["__main__"])
    for name in (names.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if name and str(name).endswith(".ipynb"):
            here, path = Path.cwd(), Path(str(name))
            below = [folder / path for folder in (here, *here.parents, Path.home())]
            for each in (*below, here / path.name):
                if each.is_file():
                    return each
    return None


def _on_the_screen(command: str) -> Found:
    """Return Colab's notebook, in a file of its own; `UserError` if Colab does not hand it out."""
    answer, why = None, f"within {_SECONDS} s"
    try:
        colab = importlib.import_module("google.colab._message")
        answer = colab.blocking_request("get_ipynb", timeout_sec=_SECONDS)
    except Exception as error:  # Colab's own kinds, and one for a change of Colab
        why = f"({type(error).__name__})"
    notebook = answer.get("ipynb") if isinstance(answer, dict) else None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise UserError(
            f"Colab did not hand out this notebook {why if answer is None else 'as one'}. Run this "
            "cell again.\nIf that does not help, choose File → Download → Download .ipynb, drag "
            "the file into\nthe panel Files on the left, and type its path: "
            f'hw_support.{command}("/content/homework.ipynb")'
        )
    title = notebook.get("metadata")
    for key in ("colab", "name"):
        title = title.get(key) if isinstance(title, dict) else None
    stem = re.sub(r"[^\w ().-]", "_", str(title or "notebook").removesuffix(".ipynb"))[:_LONGEST]
    _on_screen[:] = [tempfile.TemporaryDirectory(ignore_cleanup_errors=True)]
    path = Path(_on_screen[0].name, f"{stem}.ipynb")
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return Found(path, "as it is on your screen", Path.cwd())


def _how(command: str) -> list[str]:
    """Return lines on how to name the notebook."""
    if homeworks := _homeworks():
        lines = [f'  hw_support.{command}("{p.name}")   saved {_saved(p)}' for p in homeworks]
        first = "Which of these is the notebook that you are working in?"
        return [first, *lines, "Type its line into this cell, and run it."]
    return [
        "The notebook has to be in the folder of the homework, beside the file that ends in",
        f"{_ENDING}. Save it there, or type its path: "
        f'hw_support.{command}("/the/folder/homework.ipynb")',
    ]


def _homeworks() -> list[Path]:
    return [path for path in sorted(Path().glob("*.ipynb")) if _is_of_a_homework(path)]


def _is_of_a_homework(path: Path) -> bool:
    """Whether a notebook is a homework described here, under whatever name."""
    if path.with_suffix(_ENDING).is_file():
        return True
    with contextlib.suppress(UserError, ImportError):
        from hw_support.student.opening import open_notebook

        return bool(open_notebook(path))
    return False
