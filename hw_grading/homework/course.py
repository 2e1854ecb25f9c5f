"""A course folder, and nbgrader's commands in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_COMPILED = shutil.ignore_patterns("__pycache__")
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Course:
    """A folder with ``nbgrader_config.py`` and ``source``.

    Attributes
    ----------
    folder : Path
        The course's root.
    """

    folder: Path

    def nbgrader(self, *words: str, log: Path | None = None) -> int:
        """Run one nbgrader command in the course and return its exit status.

        Parameters
        ----------
        words
            The command, such as ``"autograde", "ps1"``.
        log
            Where its output goes; None leaves it on the terminal.
        """
        # nbgrader starts alembic by name: the environment's programs must be on the PATH.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        environment = {**os.environ, "PATH": path}
        command = [sys.executable, "-m", "nbgrader", *words]
        if log is None:
            return subprocess.run(command, cwd=self.folder, env=environment, check=False).returncode
        with log.open("ab") as stream:
            return subprocess.run(
                command, cwd=self.folder, env=environment, check=False, stdout=stream, stderr=stream
            ).returncode


def scratch_course(folder: Path, source: Path = REPOSITORY) -> Course:
    """Make a new course in an empty or missing folder, from the source of another.

    Raises
    ------
    FileExistsError
        If there is anything in the folder: an instructor's course is never written over.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; a scratch course needs an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / "nbgrader_config.py", folder)
    for name in ("source", "staff"):
        shutil.copytree(source / name, folder / name, ignore=_COMPILED)
    (folder / "exchange").mkdir()
    return Course(folder)
