"""`nbgrader zip_collect` recognises platforms as `python -m hw_grading collect` does."""

from datetime import datetime
from pathlib import Path

import pytest
from platforms import gradescope, handed_in, moodle, nb, packed, zip_collect
from toy_course import ToyCourse

from hw_grading.records.timestamp import read_time

pytestmark = pytest.mark.slow

ROSTER = "id,name,canvas_id,sid\nann,Ann Lee,701,3031\nbob,Bob Jones,702,3032\n"
CANVAS = packed(
    ("leeann_701_9001_hw2.ipynb", nb("ann, first")),
    ("leeann_701_9003_hw2-1.ipynb", nb("ann")),
    ("jonesbob_LATE_702_9004_hw2.ipynb", nb("bob")),
    ("doejane_703_9005_hw2.ipynb", nb("nobody knows her")),
)
GRADESCOPE = gradescope(
    (1, "2022-10-04 10:00:00 Z", [("Ann Lee", "3031", "''")], nb("ann")),
    (2, "2022-10-04 11:00:00 Z", [("Bob Jones", "3032", "''")], nb("bob")),
    (3, "2022-10-04 11:00:00 Z", [("Jane Doe", "3033", "''")], nb("nobody knows her")),
)
MOODLE = moodle(
    ("Ann Lee", 11, nb("ann")), ("Bob Jones", 12, nb("bob")), ("Jane Doe", 13, nb("nobody"))
)


@pytest.fixture
def archive(course: ToyCourse) -> Path:
    (course.root / "students.csv").write_text(ROSTER)
    folder = course.root / "downloaded/hw2/archive"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("name", "content", "times"),
    [
        ("submissions.zip", CANVAS, [None, None]),
        ("assignment_9_export.zip", GRADESCOPE, [datetime(2022, 10, 4, 10 + n) for n in (0, 1)]),
        ("C-hw2-9.zip", MOODLE, [None, None]),
    ],
    ids=["canvas", "gradescope", "moodle"],
)
def test_a_platforms_download_is_collected(
    name: str,
    content: bytes,
    times: list[datetime | None],
    course: ToyCourse,
    archive: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (archive / name).write_bytes(content)
    assert zip_collect(course.root) == 1
    told = capsys.readouterr().err
    assert "LEFT OUT: 1 file; all others" in told
    assert "no student in students.csv has the" in told[told.index("LEFT OUT: 1") :]
    assert handed_in(course.root) == {"ann": nb("ann"), "bob": nb("bob")}
    of = [read_time(course.root / "submitted" / student / "hw2") for student in ("ann", "bob")]
    assert of == times


def test_an_older_download_overwrites_nothing(course: ToyCourse, archive: Path) -> None:
    person = [("Ann Lee", "3031", "''")]
    for day in (5, 4):
        export = gradescope((1, f"2022-10-0{day} 10:00:00 Z", person, nb(f"on day {day}")))
        (archive / "export.zip").write_bytes(export)
        assert zip_collect(course.root, "--force") == (0 if day == 5 else 1)
        assert handed_in(course.root) == {"ann": nb("on day 5")}
