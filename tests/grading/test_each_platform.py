"""For each platform: a download is collected, graded and exported again."""

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from platforms import gradescope, moodle, packed
from platforms_in import Canvas, CanvasStudent, Moodle, MoodleStudent
from toy_course import ToyCourse

from hw_grading.__main__ import main
from hw_grading.gradebook.folders import read_time

pytestmark = pytest.mark.slow

ROSTER = "id,name,canvas_id,sid,email\nann,Ann Lee,701,3031,a@x\nbob,Bob Jones,702,3032,b@x\n"
ROSTER += "zoe,Zoë Ångström,703,3033,z@x\n"
NAMES = {"ann": "Ann Lee", "bob": "Bob Jones", "zoe": "Zoë Ångström"}
POINTS = {"ann": 6.0, "bob": 4.0}  # Bob's `double` is wrong; Zoë hands in nothing

Handed = dict[str, bytes]  # by student


def from_canvas(handed: Handed) -> bytes:
    return packed(
        ("leeann_701_9001_hw2.ipynb", handed["bob"]),  # an older upload
        ("leeann_701_9003_hw2-1.ipynb", handed["ann"]),
        ("jonesbob_LATE_702_9002_hw2.ipynb", handed["bob"]),
    )


def from_gradescope(handed: Handed) -> bytes:
    who = {"ann": ("Ann Lee", "'3031'", "''"), "bob": ("Bob Jones", "'3032'", "''")}
    return gradescope(
        (1, "2022-10-04 09:00:00 Z", [who["ann"], who["bob"]], handed["bob"]),  # as a group
        (2, "2022-10-04 10:00:00 Z", [who["ann"]], handed["ann"]),
    )


def from_moodle(handed: Handed) -> bytes:
    return moodle(("Ann Lee", 11, handed["ann"]), ("Bob Jones", 12, handed["bob"]))


def on_moodle() -> Moodle:
    people = enumerate(NAMES.values(), 11)
    students = [MoodleStudent(n, name, "", f"{name[0].lower()}@x") for n, name in people]
    return Moodle(students, maximum="15.00")


def into_canvas(course: Path) -> dict[str, float]:
    there = Canvas(
        [
            CanvasStudent("701", "Ann Lee", "3031", "ann", {}),
            CanvasStudent("702", "Bob Jones", "3032", "bob", {"123456": "1"}),
            CanvasStudent("703", "Zoë Ångström", "3033", "zoe", {"123456": "2"}),
        ],
        [("55", "Quiz", "10"), ("123456", "hw2", "15")],
    )
    changes, new = there.imported(exported(course, "canvas", there.exported()))
    assert new == []
    return {name: float(value) for (name, _), (_, value) in changes.items()}


def into_moodle(course: Path) -> dict[str, float]:
    there = on_moodle()
    changes = there.imported(exported(course, "moodle", there.exported()))
    return {name: float(value) for name, (_, value) in changes.items()}


def into_a_table(course: Path) -> dict[str, float]:
    rows = list(csv.DictReader(exported(course, "gradescope").decode().splitlines()))
    assert next(r for r in rows if r["SID"] == "3033")["Status"] == "Missing"
    return {
        f"{row['First Name']} {row['Last Name']}": float(row["Total Score"])
        for row in rows
        if row["Total Score"]
    }


def exported(course: Path, kind: str, fill: str = "") -> bytes:
    words = ["export", "hw2", "--format", kind, "--output", str(course / "out.csv")]
    if fill:
        (course / "fill.csv").write_text(fill, encoding="utf-8")
        words += ["--fill", str(course / "fill.csv")]
    assert main(["--course", str(course), *words]) == 1  # answers wait for people
    return (course / "out.csv").read_bytes()


@pytest.mark.parametrize(
    ("download", "grades", "when"),
    [
        (from_canvas, into_canvas, None),
        (from_gradescope, into_a_table, datetime(2022, 10, 4, 10)),
        (from_moodle, into_moodle, None),
    ],
)
def test_a_class_is_collected_graded_and_exported(
    download: Callable[[Handed], bytes],
    grades: Callable[[Path], dict[str, float]],
    when: datetime | None,
    course: ToyCourse,
    tmp_path: Path,
) -> None:
    (course.root / "students.csv").write_text(ROSTER, encoding="utf-8")
    wrong = course.answer(double="def double(x):\n    return x")
    handed = {
        s: nbformat.writes(nb).encode() for s, nb in (("ann", course.answered), ("bob", wrong))
    }
    (tmp_path / "download.zip").write_bytes(download(handed))
    (tmp_path / "worksheet.csv").write_text(on_moodle().exported(), encoding="utf-8")
    words = ["collect", "hw2", str(tmp_path / "download.zip"), "--yes"]
    words += ["--moodle-worksheet", str(tmp_path / "worksheet.csv")]
    assert main(["--course", str(course.root), *words]) == 0
    assert read_time(course.root / "submitted/ann/hw2") == when
    assert course.grade().returncode == 0
    assert grades(course.root) == {NAMES[student]: points for student, points in POINTS.items()}
