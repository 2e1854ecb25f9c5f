"""Packs your notebook into a zip whose name tells the grader who you are."""

import hashlib
import re
import zipfile
from pathlib import Path

from hw_support.desk.certification import STUDENT_ID, certification_of
from hw_support.desk.errors import DeskError
from hw_support.desk.opening import Opened
from hw_support.in_one_step import in_one_step
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import quoted

_STUDENT_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}")


def student_id_of(opened: Opened) -> str:
    """Return the student id from the certification, as `checked_id` does."""
    name = opened.release.certification
    if not name:
        raise DeskError(
            f"{opened.release.assignment} does not ask for your student id. Add --student and "
            "your id to the command."
        )
    asked = certification_of(opened.release.cell(name).source)
    cells = [cell.source for cell in opened.notebook.cells if grade_id_of(cell) == name]
    return checked_id(asked.written(cells[0], STUDENT_ID) if cells else "")


def checked_id(student_id: str) -> str:
    """Return a student id that can be part of a file's name; `DeskError` for any other."""
    if not student_id:
        raise DeskError(
            f"The certification has no student id: write it below **{STUDENT_ID}:**, save the "
            "notebook, and run this command again. Or add --student and your id to the command."
        )
    if not _STUDENT_ID.fullmatch(student_id):
        raise DeskError(
            f"The student id {quoted(student_id)} has a character that a file name cannot have. "
            "Allowed are letters, digits and _ . @ + -. Correct the id in the certification, or "
            "add --student and your id to the command."
        )
    return student_id


def checked_folder(folder: Path) -> Path:
    """Return the folder for the zip; `DeskError` if there is none."""
    if not folder.is_dir():
        raise DeskError(
            f"{folder} is not a folder. --to takes the folder for the zip: make it first, or name "
            "another one."
        )
    return folder


def pack(opened: Opened, student_id: str, folder: Path) -> tuple[Path, str, str]:
    """Write ``<student id>_<assignment>.zip``, or replace it, in one step.

    Returned are its path, the name of the notebook in it, and the SHA-256 of the student's file.
    `DeskError` if it cannot be written; an earlier zip is unchanged then.
    """
    entry = f"{student_id}_{opened.release.assignment}.ipynb"
    path = folder / f"{student_id}_{opened.release.assignment}.zip"
    try:
        with (
            in_one_step(path) as partial,
            zipfile.ZipFile(partial, "x", zipfile.ZIP_DEFLATED) as archive,
        ):
            archive.writestr(entry, opened.content)
    except OSError as error:
        raise DeskError(
            f"{path} cannot be written ({error.strerror or error}). Name another folder with "
            "--to, or free some space."
        ) from error
    return path, entry, hashlib.sha256(opened.content).hexdigest()
