"""Attacks by students' ids, file names and submission times.

One class of attackers is graded once. The tests check what nbgrader's commands and ours do with it.
"""

import contextlib
import csv
import functools
import io
import os
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader import base, formgrader, handlers
from toy_course import ASSIGNMENT, FULL_MARKS, ToyCourse, run
from traitlets.config.loader import PyFileConfigLoader

from hw_grading.analysis.mistakes import table
from hw_grading.analysis.report import report
from hw_grading.homework.course import REPOSITORY
from hw_grading.homework.folders import read_time, time_of
from hw_grading.homework.homework import LONGEST_ID, why_no_id
from hw_grading.plugins.formgrader import adapt
from hw_grading.texts import cell, csv_of
from hw_support.submission.file import UserError

# One class serves many tests of this file: they have to be in one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("people")]

BAD_IDS = {
    "an attribute": 'x" tabindex=1 autofocus onfocus="run()',
    "a tag": "<img src=x onerror=run()>",
    "a script's end": "';run();'",
    "a template": "{{ 7 * 7 }}",
    "a screen's commands": "\x1b[2J\x1b]0;x\x07",
    "a formula": '=HYPERLINK("evil.example","x")',
    "a command": "-rf",
    "what looks blank": "\u3164",
    "from right to left": "x\u202ey",
    "a decomposed letter": "e\u0301",
    "no UTF-8": "x\udcff",
    "a dot": ".hidden",
    "two dots": "..x",
    "very long": "x" * (LONGEST_ID + 1),
}


def test_an_id_that_needs_no_escaping_is_valid() -> None:
    for student in ("王小明", "30312345", "ada.l+hw@cs-1.example", "_x", "é", "a" * LONGEST_ID):
        assert why_no_id(student) == ""
    for student in BAD_IDS.values():
        why = why_no_id(student)
        assert why
        assert why.isascii()
        assert why.isprintable()


# -- times

BAD_TIMES = {
    "an hour of many digits": "24:0012345678901234567890123456789",
    "a zone of 300 letters": "2022-10-04 23:59:00 " + "Z" * 300,
    "the year 9999": "9999-12-31 23:59:59 -1200",
    "some years to come": "2122-10-04 23:59:00 UTC",
    "zeros": "\0" * 50,
    "no UTF-8": "2022\udcff",
    "megabytes": "2022-10-04 " * 500_000,
}


def test_a_file_without_a_valid_time_is_refused(tmp_path: Path) -> None:
    assert read_time(tmp_path) is None
    path = tmp_path / "timestamp.txt"
    for text in BAD_TIMES.values():
        path.write_bytes(os.fsencode(text))
        with pytest.raises(UserError, match=r"a time such as .* Write the time into the file"):
            read_time(tmp_path)
    for make in (os.mkfifo, functools.partial(os.symlink, "/etc/passwd"), os.mkdir):
        path.unlink()
        make(path)
        with pytest.raises(UserError, match="expected a regular file"):
            read_time(tmp_path)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2022-10-04 23:59:00.123456 UTC", "2022-10-04 23:59:00.123456"),
        ("2022-10-04 23:59:00 America/Los_Angeles", "2022-10-05 06:59:00"),
        ("2022-10-04T23:59:00+02:00", "2022-10-04 21:59:00"),
        ("2022-10-04 23:59:00", "2022-10-04 23:59:00"),
    ],
)
def test_a_time_is_converted_to_utc(text: str, utc: str) -> None:
    assert str(time_of(text)) == utc


@given(st.one_of(st.text(max_size=120), st.text("0123456789-:. TZ+UC/aem,", max_size=60)))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    with contextlib.suppress(UserError):
        moment = time_of(text)
        assert moment.tzinfo is None
        assert moment.year >= 2000


# -- a class


@dataclass
class Graded:
    """A class of attackers, what grading it printed, and its exit status."""

    course: ToyCourse
    log: str
    status: int


LATE = ["an hour of many digits", "a zone of 300 letters", "the year 9999", "zeros", "megabytes"]


@pytest.fixture(scope="module")
def graded(generated_course: ToyCourse, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    course = generated_course.copied(tmp_path_factory.mktemp("people") / "course")
    for student in (*BAD_IDS.values(), "honest", *(what.replace(" ", "-") for what in LATE)):
        course.submit(student, course.answered if student == "honest" else course.released)
    for what in LATE:
        path = course.folder(what.replace(" ", "-")) / "timestamp.txt"
        path.write_bytes(os.fsencode(BAD_TIMES[what]))
    (course.folder("honest") / "\x1b[2Jnotes\n.txt").write_text("mine")
    done = course.grade()
    return Graded(course, done.stderr, done.returncode)


def test_invalid_ids_are_refused_and_invalid_times_block_nobody(graded: Graded) -> None:
    assert graded.status == 1
    assert sum(filter(None, graded.course.test_scores("honest").values())) == FULL_MARKS
    handed_in = set(os.listdir(graded.course.root / "autograded"))
    late = {what.replace(" ", "-") for what in LATE}
    assert handed_in == {"honest", *late}
    assert graded.log.count("NOT GRADED: ") == len(BAD_IDS)
    assert graded.log.count("Rename the folder, and grade again") >= len(BAD_IDS)
    with Gradebook(graded.course.course.db_url) as gradebook:
        assert {student.id for student in gradebook.students} == handed_in
    for student in late:
        assert graded.course.test_scores(student)
        assert f"/submitted/{student}/{ASSIGNMENT}/timestamp.txt: expected a time" in graded.log


def test_the_report_names_everybody_and_the_mistakes_are_shown(graded: Graded) -> None:
    text = report(graded.course.root, ASSIGNMENT, 400)
    assert all(c == "\n" or c.isprintable() for c in text)
    assert f"not graded {len(BAD_IDS)}" in text
    assert text.count("Rename the folder") == len(BAD_IDS)
    for student in (".hidden", "..x"):
        assert f"\n{student} " in text
    shown = table(graded.course.course, ASSIGNMENT, width=400)
    assert all(c == "\n" or c.isprintable() for c in shown)


def test_formgrader_lists_a_class_with_invalid_times(graded: Graded) -> None:
    adapt()
    course = CourseDirectory(root=str(graded.course.root), db_url=graded.course.course.db_url)
    listed = NbGraderAPI(course).get_submissions(ASSIGNMENT)
    assert {one["student"] for one in listed if one["autograded"]} >= {"honest", "the-year-9999"}
    assert all(one["timestamp"] is None for one in listed)


def test_the_exported_table_is_data(graded: Graded) -> None:
    course = graded.course
    with Gradebook(course.course.db_url) as gradebook:
        gradebook.add_student("=1+1", first_name="@x\x1b[2J", last_name='Smith, "Jr\n', email="-1")
    done = run(course.root, "export", "--to=grades.csv")
    assert done.returncode == 0, done.stderr
    with (course.root / "grades.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["student_id"]: row for row in csv.DictReader(stream)}
    row = rows["'=1+1"]
    assert (row["first_name"], row["email"]) == ("'@x\\x1b[2J", "'-1")
    assert row["last_name"] == 'Smith, "Jr'
    assert float(rows["honest"]["score"]) == FULL_MARKS
    assert row["score"] == ""  # this student submitted nothing


@pytest.mark.smoke
def test_only_a_text_like_a_formula_gets_an_apostrophe() -> None:
    alike = [
        sign
        for sign in map(chr, range(sys.maxunicode + 1))
        if unicodedata.normalize("NFKC", sign) in ("=", "+", "-", "@")
    ]
    assert {*"=+-@＝＋－＠﹦﹢﹣﹫"} < {*alike}
    for begin in (*alike, "\t=", "\r=", "\u2003="):
        assert cell(f"{begin}1").startswith("'")
        assert cell(f"{begin}1").isprintable()
    for value in (-1.5, 0, None, "ada", "a=b", "less than half: 7; full: 3", "2022-10-04 23:59:00"):
        assert cell(value) == value


@pytest.mark.parametrize("text", ["x; +1", 'x;"=1"', "＝1;-1;@z;﹦1"])
def test_a_text_divided_at_semicolons_has_no_formula(text: str) -> None:
    [row] = csv.reader(io.StringIO(csv_of([["ada", text]])))
    assert row[0] == "ada"
    assert row[1].replace("'", "") == text  # nothing but apostrophes is added
    values = csv_of([["ada", text]]).strip().split(";")
    assert len(values) == text.count(";") + 1
    assert [v for v in values if v.lstrip(' "').startswith(("=", "+", "-", "@", "＝", "﹦"))] == []


# -- formgrader's pages


def tags_in(page: BeautifulSoup) -> list[tuple[str, list[str]]]:
    """The page's tags, each with the names of its attributes."""
    return [(tag.name, [*tag.attrs]) for tag in page.find_all(True)]


@pytest.fixture(scope="module")
def pages() -> Any:
    """Formgrader's handler for one request, as the server makes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formgrader, "Environment", jinja2.Environment)
        patch.setattr(formgrader, "HTMLExporter", HTMLExporter)
        config = PyFileConfigLoader("nbgrader_config.py", path=str(REPOSITORY)).load_config()
        extension = formgrader.FormgradeExtension(config=config)
        extension.update_config(extension.build_extra_config())
        loader = jinja2.FileSystemLoader([handlers.template_path])
        settings = {
            "nbgrader_jinja2_env": formgrader.Environment(loader=loader),
            "nbgrader_exporter": formgrader.HTMLExporter(config=extension.config),
        }

        class Request(base.BaseHandler):  # type: ignore[misc]
            def __init__(self) -> None:
                self.application = SimpleNamespace(settings=settings)  # type: ignore[assignment]

        yield Request


PAGES = {
    "manage_students_assignments.tpl": ("student_id", "base_url"),
    "manage_students_notebook_submissions.tpl": ("student_id", "assignment_id", "base_url"),
    "manage_submissions.tpl": ("course_dir", "assignment_id", "base_url"),
    "gradebook_notebooks.tpl": ("assignment_id", "base_url"),
    "gradebook_notebook_submissions.tpl": ("assignment_id", "notebook_id", "base_url"),
}
ATTACKS = [
    *BAD_IDS.values(),
    "\\",
    "</script><script>run()</script>",
    "`-run()-`",
    '"-run()-"',
    "x\u2028run()",
]


@pytest.mark.parametrize("name", [*PAGES, "a submission"])
def test_formgrader_shows_any_id_and_name_as_text(pages: Any, name: str, tmp_path: Path) -> None:
    path = tmp_path / "hw2.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    names = ("assignment_id", "notebook_id", "submission_id", "base_url", "student")
    names += ("last_name", "first_name", "notebook_path")

    def shown(text: str) -> BeautifulSoup:
        if name in PAGES:
            page = pages().render(name, **dict.fromkeys(PAGES[name], text))
        else:
            about = {"index": 0, "total": 1, **dict.fromkeys(names, text)}
            page, _ = pages().exporter.from_filename(str(path), resources=about)
        return BeautifulSoup(page, "html.parser")

    harmless = shown("xx")
    for attack in ATTACKS:
        page = shown(attack)
        assert tags_in(page) == tags_in(harmless), attack
        for script, plain in zip(page("script"), harmless("script"), strict=True):
            lines = script.get_text().split("\n")
            assert len(lines) == plain.get_text().count("\n") + 1
            assert "\u2028" not in script.get_text()
            for line in lines:
                assert "run()" not in line or line.lstrip().startswith("var ")
