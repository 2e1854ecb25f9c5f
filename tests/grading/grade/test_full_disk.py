"""A full disk ends a run with one sentence, and the next run grades the rest."""

import re

import pytest
from toy_course import FULL_MARKS, ToyCourse

pytestmark = pytest.mark.slow

# The device is always full: the system itself raises the error.
FULL_FOLDER = """
from pathlib import Path
real = Path.write_bytes
def write(self, content):
    is_full = str(self).endswith("autograded/ben/hw2/hw2.ipynb")
    return real(Path("/dev/full") if is_full else self, content)
Path.write_bytes = write
"""
# SQLite reports a file that may not grow as it reports a full disk.
FULL_GRADEBOOK = """
import sqlalchemy
from nbgrader.api import Gradebook
update_or_create_student = Gradebook.update_or_create_student
def update(self, student):
    if student == "ben":
        @sqlalchemy.event.listens_for(sqlalchemy.Engine, "begin")
        def limit(connection):
            pages = connection.exec_driver_sql("pragma page_count").scalar()
            connection.exec_driver_sql(f"pragma max_page_count = {pages}")
            connection.exec_driver_sql("create table grown as select zeroblob(1000000)")
    return update_or_create_student(self, student)
Gradebook.update_or_create_student = update
"""


@pytest.mark.parametrize(
    ("fault", "why"),
    [(FULL_FOLDER, r"\[Errno 28\] No space left on device"), (FULL_GRADEBOOK, ".* disk is full")],
    ids=["folder", "gradebook"],
)
def test_a_full_disk_is_told_in_one_sentence_and_loses_nothing(
    course: ToyCourse, fault: str, why: str
) -> None:
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + fault)
    for student in ("ada", "ben", "cyd"):
        course.submit(student, course.answered)
    done = course.grade()
    assert done.returncode == 1
    [told] = [line for line in done.stderr.splitlines() if "| ERROR]" in line]
    assert re.search(rf"Nothing more can be saved in \S+ or in the gradebook \({why}\)\.", told)
    assert "Traceback" not in done.stderr
    assert sum(filter(None, course.test_scores("ada").values())) == FULL_MARKS
    saved = [score for score in course.test_scores("ben").values() if score is not None]
    assert sum(saved) == (FULL_MARKS if saved else 0)  # all or none
    assert not (course.root / "autograded" / "ben" / "hw2" / "hw2.ipynb").exists()

    config.write_text(config.read_text().replace(fault, ""))
    assert course.grade().returncode == 0
    for student in ("ada", "ben", "cyd"):
        assert sum(filter(None, course.test_scores(student).values())) == FULL_MARKS
