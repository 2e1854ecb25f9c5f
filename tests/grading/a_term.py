"""A course with several homeworks, their due dates, and students' submissions with their times.

Each homework has a question "why" of 4 points and one "plot" of 6, under the headings "Q1 a. Why"
and "Q1 b. The plot". Nothing is run.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from by_hand import answer, text, write
from nbgrader.api import Gradebook

from hw_grading.__main__ import main
from hw_grading.gradebook.results import Result, read_results
from hw_grading.homework.course import Course

CELLS = {"why": ("markdown", 4.0), "plot": ("code", 6.0)}
ALL_POINTS = 10.0
ZONE = "America/Los_Angeles"
DUE = "2022-10-04 23:59:59"


def utc(wall: str, zone: str = ZONE, fold: int = 0) -> datetime:
    """Return a local time in UTC, as the gradebook stores it."""
    local = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return local.astimezone(UTC).replace(tzinfo=None)


class Term:
    """A course in a folder."""

    def __init__(self, folder: Path, **policy: object) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(_empty_gradebook(), folder / "gradebook.db")
        self.policy(**policy)

    def policy(self, **settings: object) -> None:
        """Set ``c.LatePolicy`` instead of what was set before."""
        lines = ["c = get_config()", f"c.CourseDirectory.root = {str(self.folder)!r}"]
        lines += [f"c.LatePolicy.{name} = {value!r}" for name, value in settings.items()]
        (self.folder / "nbgrader_config.py").write_text("\n".join(lines))

    @property
    def course(self) -> Course:
        return Course(self.folder)

    def gradebook(self) -> Gradebook:
        return Gradebook(self.course.db_url)

    def homework(self, name: str = "ps1", due: str | None = DUE, zone: str = ZONE, more: str = ""):
        """Add a homework with its manifest; `more` are lines below it."""
        manifest = self.folder / "staff" / name / "homework.toml"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(f'time_zone = "{zone}"\n{more}', encoding="utf-8")
        why, plot = text("## Q1 Limits\n### a. Why"), text("### b. The plot")
        cells = [why, answer("why"), plot, answer("plot")]
        write(self.course.source(name) / f"{name}.ipynb", cells)
        with self.gradebook() as book:
            book.add_assignment(name, duedate=utc(due, zone) if due else None)
            book.add_notebook(name, name)
            for cell, (kind, points) in CELLS.items():
                book.add_grade_cell(cell, name, name, max_score=points, cell_type=kind)
                book.add_solution_cell(cell, name, name)
        return self

    def hand_in(
        self,
        student: str,
        when: str | datetime | None = None,
        points: float | None = 10.0,
        name: str = "ps1",
        zone: str = ZONE,
    ) -> Term:
        """Hand in; a person gives these points: up to 4 for "why", the rest for "plot"."""
        moment = utc(when, zone) if isinstance(when, str) else when
        with self.gradebook() as book:
            book.update_or_create_student(student)
            book.update_or_create_submission(name, student, timestamp=moment)
            for cell in CELLS:
                grade = book.find_grade(cell, name, name, student)
                grade.needs_manual_grade = points is None
                if points is not None:
                    of_why = min(points, 4.0)
                    grade.manual_score = of_why if cell == "why" else points - of_why
            book.db.commit()
        return self

    def final(self, student: str = "ada", name: str = "ps1") -> Result:
        return read_results(self.course, name).students[student]

    def type(self, *words: object) -> int:
        """Run one of our commands, and return its exit status."""
        return main(["--course", str(self.folder), *map(str, words)])


@functools.cache
def _empty_gradebook() -> Path:
    """Made once: copying it is quicker than making it."""
    folder = Path(tempfile.mkdtemp(prefix="hw-term-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with Gradebook(f"sqlite:///{folder}/gradebook.db"):
        return folder / "gradebook.db"


@pytest.fixture
def term(tmp_path: Path) -> Term:
    """A course with the homework ps1."""
    return Term(tmp_path / "course").homework()
