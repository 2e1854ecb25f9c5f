"""Exported grades can be imported: each file is read back by its platform's rules."""

import codecs
import contextlib
import csv
import io
import json
import tempfile
import unicodedata
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from by_hand import add_student, copied, grade_elsewhere, make_course
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from platforms_in import (
    ENGLISH,
    GERMAN,
    UNKNOWN,
    Canvas,
    CanvasStudent,
    Moodle,
    MoodleStudent,
)
from toy_course import ToyCourse, run

from hw_grading.__main__ import main
from hw_grading.exports.sheet import read_sheet
from hw_grading.final_scores.corrections import Correction
from hw_grading.final_scores.scores import FinalScores, final_scores
from hw_grading.homework.course import Course
from hw_grading.records.writing import in_words, write_whole
from hw_support.submission.file import Unreadable

ROSTER = """id,name,email,section,canvas_id,sid
ann,Ann Lee,ann@x.edu,1,,3031
bob,"Jones, Bob",bob@x.edu,1,,3032
zoe,Zoë Ångström,zoe@x.edu,2,,3033
dan,Dan O'Neil,dan@x.edu,2,,3034
"""
HOMEWORK = ("", "123456")


class Term:
    """A course with a roster, and the command."""

    def __init__(self, graded: Course, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys
        self.course = copied(graded, root / "course")
        self.roster(ROSTER)
        self.file, self.to = root / "platform.csv", root / "out.csv"

    def roster(self, content: str) -> None:
        (self.course.folder / "students.csv").write_text(content, encoding="utf-8")

    def export(self, kind: str, content: str | bytes | None = None, *more: str | Path) -> int:
        """Run the command; keep its output in `said`."""
        words = ["export", "ps1", "--as", kind, "--to", self.to]
        if content is not None:
            content = content.encode() if isinstance(content, str) else content
            self.file.write_bytes(content)
            words += ["--fill", self.file]
        status = main(["--course", str(self.course.folder), *map(str, [*words, *more])])
        out = self._capsys.readouterr()
        self.said = out.out + out.err
        assert all(c == "\n" or c.isprintable() for c in self.said)
        assert not list(self.root.glob("*.part"))
        if content is not None and "--to" not in map(str, more):
            assert self.file.read_bytes() == content
        return status

    def table(self) -> list[dict[str, str]]:
        with self.to.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class: ann has 5.5 of 6 points, bob 3, zoe 0; dan has submitted nothing."""
    course = make_course(tmp_path_factory.mktemp("graded") / "course", [])
    for student, why, plot in (("ann", 3.5, 2), ("bob", 2, 1), ("zoe", 0, 0)):
        add_student(course, student)
        grade_elsewhere(course, student, why, "why")
        grade_elsewhere(course, student, plot, "plot")
    return course


@pytest.fixture
def term(graded: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Term:
    return Term(graded, tmp_path, capsys)


def canvas(**more: object) -> Canvas:
    return Canvas(
        [
            CanvasStudent("701", "Ann Lee", "3031", "annlee", {"55": "9", "123456": ""}),
            CanvasStudent("702", "Bob Jones", "", "bob@x.edu", {"123456": "1"}),
            CanvasStudent("703", "Zoë Ångström", "", "", {"123456": "4"}),
            CanvasStudent("704", "Dan O'Neil", "3034", "dan", {"123456": "2.5"}),
        ],
        **more,
    )


SCORES = {
    ("Ann Lee", "123456"): ("", "5.5"),
    ("Bob Jones", "123456"): ("1", "3"),
    ("Zoë Ångström", "123456"): ("4", "0"),
}


# -- Canvas


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_canvas_gets_the_scores_and_nothing_else(
    term: Term, delimiter: str, bom: bytes, end: str
) -> None:
    site = canvas()
    given = bom + site.exported(delimiter, end).encode()
    assert term.export("canvas", given) == 0, term.said
    written = term.to.read_bytes()
    assert site.imported(written) == (SCORES, [])
    assert written.startswith(bom)
    changed = [a for a, b in zip(given.splitlines(), written.splitlines(), strict=True) if a != b]
    assert len(changed) == 3
    assert given.count(b"\r\n") == written.count(b"\r\n")
    assert "3 scores in the column 'ps1 (123456)'; 3 of them changed" in term.said
    assert "1 student without a score, or excused" in term.said


def test_students_without_a_submission_and_excused_ones_keep_their_values(term: Term) -> None:
    site = canvas()
    site.students[0].scores["123456"] = "EX"
    assert term.export("canvas", site.exported()) == 0
    changes, _ = site.imported(term.to.read_bytes())
    assert changes == {key: value for key, value in SCORES.items() if key[0] != "Ann Lee"}


def test_a_submission_that_was_never_graded_keeps_the_score_and_is_named(term: Term) -> None:
    with Gradebook(term.course.db_url) as gradebook:
        gradebook.add_student("dan")
        gradebook.add_grade_cell("test_it", "ps1", "ps1", max_score=0, cell_type="code")
        gradebook.add_submission("ps1", "dan")
        gradebook.db.commit()
    site = canvas()
    assert term.export("canvas", site.exported()) == 1
    assert "1 submission without a score yet" in term.said
    assert "'dan'" in term.said
    assert ("Dan O'Neil", "123456") not in site.imported(term.to.read_bytes())[0]


def test_answers_that_wait_for_a_person_are_counted(term: Term) -> None:
    add_student(term.course, "dan")
    assert term.export("canvas", canvas().exported()) == 1
    assert "2 answers of 1 student not graded by a person yet" in term.said


def test_submissions_that_are_newer_than_their_scores_are_named(term: Term) -> None:
    """Dan's was collected, and never graded; Ann submitted again after the grading."""
    with Gradebook(term.course.db_url) as gradebook:
        gradebook.find_submission("ps1", "ann").timestamp = datetime(2022, 10, 1)
        gradebook.db.commit()
    for student in ("ann", "dan"):
        folder = term.course.submitted(student, "ps1")
        folder.mkdir(parents=True)
        (folder / "ps1.ipynb").touch()
        (folder / "timestamp.txt").write_text("2022-10-02 00:00:00 UTC")
    assert term.export("canvas", canvas().exported()) == 1
    assert "1 submission not graded yet: 'ann'. Run `nbgrader autograde ps1`" in term.said
    assert "1 submission without a score yet: 'dan'. Run `nbgrader autograde ps1`" in term.said


def test_scores_by_people_above_a_questions_points_are_reported(term: Term) -> None:
    with Gradebook(term.course.db_url) as gradebook:
        gradebook.find_grade("why", "ps1", "ps1", "ann").manual_score = 7
        gradebook.db.commit()
    assert term.export("canvas", canvas().exported()) == 1
    assert "1 score by people above the question's points: 'ann' 7 of 4 in" in term.said


@pytest.mark.parametrize("title", ["Homework Seven", "ps1 late"])
def test_a_column_with_another_name_is_asked_for_and_found_by_the_option(
    term: Term, title: str
) -> None:
    assignments = (("55", "Quiz", "10"), ("123456", title, "6"), ("77", "Lab", "(read only)"))
    site = canvas(assignments=assignments)
    assert term.export("canvas", site.exported()) == 2
    assert "platform.csv, line 1: expected one column" in term.said
    assert f"'Quiz (55)', '{title} (123456)'" in term.said
    assert "Lab" not in term.said
    assert not term.to.exists()
    for column in (title, f"{title} (123456)", "123456", title.upper()):
        assert term.export("canvas", site.exported(), "--column", column) == 0
        assert site.imported(term.to.read_bytes())[0] == SCORES


def test_with_two_matching_columns_none_is_guessed(term: Term) -> None:
    site = canvas(assignments=(("55", "ps1", "6"), ("123456", "PS1", "6")))
    assert term.export("canvas", site.exported()) == 2
    assert "found 2 of them" in term.said
    assert term.export("canvas", site.exported(), "--column", "123456") == 0
    assert set(site.imported(term.to.read_bytes())[0]) == set(SCORES)


def test_a_column_that_is_read_only_is_not_filled_in(term: Term) -> None:
    site = canvas(assignments=(("55", "Quiz", "10"), ("123456", "ps1", "(read only)")))
    assert term.export("canvas", site.exported(), "--column", "123456") == 2
    assert "'Quiz (55)'" in term.said


def test_another_maximum_is_reported_and_scores_are_not_scaled(term: Term) -> None:
    site = canvas(assignments=(("55", "Quiz", "10"), ("123456", "ps1", "100")))
    assert term.export("canvas", site.exported()) == 1
    assert "line 3 has a maximum of 100 points, but ps1 has 6" in term.said
    assert site.imported(term.to.read_bytes())[0] == SCORES


def test_a_title_without_an_id_is_reported(
    term: Term,
) -> None:
    text = canvas().exported().replace("ps1 (123456)", "ps1")
    assert term.export("canvas", text) == 1
    assert "has no (id) at its end" in term.said


def test_students_on_one_side_only_are_named(term: Term) -> None:
    site = canvas()
    del site.students[1]
    site.students.append(CanvasStudent("705", "Eve Adams", "3999", "eve", {"123456": "1"}))
    assert term.export("canvas", site.exported()) == 1
    assert "1 student with a score but without a row in the file: bob ('Jones, Bob')" in term.said
    assert "'Adams, Eve' (line 7)" in term.said
    assert ("Eve Adams", "123456") not in site.imported(term.to.read_bytes())[0]


def test_without_a_roster_unknown_rows_are_no_fault(term: Term) -> None:
    (term.course.folder / "students.csv").unlink()
    site = Canvas([CanvasStudent("701", "Ann Lee", "ann"), CanvasStudent("9", "Eve Adams", "eve")])
    site.students += [CanvasStudent("8", "B", login="BOB"), CanvasStudent("7", "Z", login="zoe")]
    assert term.export("canvas", site.exported()) == 0, term.said
    assert "1 student of Canvas not in the gradebook" in term.said
    assert len(site.imported(term.to.read_bytes())[0]) == 3


def test_two_rows_for_one_student_are_unchanged(term: Term) -> None:
    site = canvas()
    site.students.append(CanvasStudent("709", "Ann B. Lee", "", "ANN@X.EDU", {"123456": "1"}))
    assert term.export("canvas", site.exported()) == 1
    assert "platform.csv, lines 4 and 8: both are rows of ann" in term.said
    changes, _ = site.imported(term.to.read_bytes())
    assert {name for name, _ in changes} == {"Bob Jones", "Zoë Ångström"}


def test_a_namesake_does_not_get_the_score(term: Term) -> None:
    site = canvas()
    site.students.append(CanvasStudent("709", "Ann Lee", "3999", "annlee2", {"123456": "1"}))
    assert term.export("canvas", site.exported()) == 1
    changes, _ = site.imported(term.to.read_bytes())
    assert changes == SCORES
    del site.students[0]  # now the namesake is the only student of that name in the file
    assert term.export("canvas", site.exported()) == 1
    assert "belongs to ann, but this student's SIS User ID is '3031', not '3999'" in term.said
    assert ("Ann Lee", "123456") not in site.imported(term.to.read_bytes())[0]


def test_a_name_of_two_students_says_what_the_roster_lacks(term: Term) -> None:
    add_student(term.course, "ann2")
    term.roster(ROSTER + "ann2,Ann Lee,,,,\n")
    site = Canvas([CanvasStudent("1", "Ann Lee", "")])
    assert term.export("canvas", site.exported()) == 1
    assert "Add their emails or numbers to students.csv. The row is unchanged" in term.said


def test_a_name_alone_is_not_trusted_if_other_rows_have_ids(term: Term) -> None:
    """The roster has no numbers besides the ids, which are those of SIS."""
    (term.course.folder / "students.csv").unlink()
    with Gradebook(term.course.db_url) as gradebook:
        gradebook.update_or_create_student("ann", first_name="Ann", last_name="Lee")
    site = Canvas([CanvasStudent("1", "Bob", "bob"), CanvasStudent("2", "Ann Lee", "3999")])
    site.students.append(CanvasStudent("3", "Zoe", "zoe"))
    assert term.export("canvas", site.exported()) == 1
    assert "line 5: the name 'Lee, Ann' belongs to ann, but no student has the" in term.said
    assert {name for name, _ in site.imported(term.to.read_bytes())[0]} == {"Bob", "Zoe"}
    site.students = [site.students[1]]  # nobody is known by an id here
    assert term.export("canvas", site.exported()) == 1
    assert set(site.imported(term.to.read_bytes())[0]) == {("Ann Lee", "123456")}


def test_a_row_with_ids_of_two_students_is_unchanged(term: Term) -> None:
    site = canvas()
    site.students[0].login = "bob"
    site.students[1].login = ""
    assert term.export("canvas", site.exported()) == 1
    assert "line 4: the SIS User ID '3031' belongs to ann, but the SIS Login ID 'bob'" in term.said
    assert ("Ann Lee", "123456") not in site.imported(term.to.read_bytes())[0]


def test_ids_in_another_unicode_form_or_case_are_the_same_student(term: Term) -> None:
    add_student(term.course, "jürg")
    grade_elsewhere(term.course, "jürg", 1, "why")
    grade_elsewhere(term.course, "jürg", 1, "plot")
    term.roster(ROSTER + "jürg,Jürg Küng,,,,\n")
    site = canvas()
    login = unicodedata.normalize("NFD", "JÜRG")
    site.students.append(CanvasStudent("706", "Jürg Küng", "", login))
    assert term.export("canvas", site.exported()) == 0, term.said
    changes, new = site.imported(term.to.read_bytes())
    assert changes == {**SCORES, ("Jürg Küng", "123456"): ("", "2")}
    assert new == []


def test_two_students_whose_ids_differ_only_in_case_are_refused(term: Term) -> None:
    (term.course.folder / "students.csv").unlink()
    add_student(term.course, "Ann")
    site = Canvas([CanvasStudent("1", "x", login="ann")])
    assert term.export("canvas", site.exported()) == 1
    assert "the SIS Login ID 'ann' belongs to Ann" in term.said
    assert site.imported(term.to.read_bytes())[0] == {}


def test_names_that_look_like_formulas_are_unchanged(term: Term) -> None:
    site = canvas()
    site.students.append(CanvasStudent("706", "=HYPERLINK(1)", "", "@evil", {"123456": "-1"}))
    term.export("canvas", site.exported())
    assert site.imported(term.to.read_bytes()) == (SCORES, [])


def test_a_german_excel_gets_decimal_commas(term: Term) -> None:
    site = canvas(assignments=(("55", "Quiz", "10,00"), ("123456", "ps1", "6,00")))
    assert term.export("canvas", site.exported(";")) == 0, term.said
    assert ";5,5;" in term.to.read_text(encoding="utf-8")
    assert site.imported(term.to.read_bytes())[0] == SCORES


def test_the_windows_encoding_is_kept(term: Term) -> None:
    assert term.export("canvas", canvas().exported().encode("cp1252")) == 0
    assert "Ångström, Zoë" in term.to.read_bytes().decode("cp1252")


def test_only_the_students_who_are_asked_for_are_written(term: Term) -> None:
    site = canvas()
    assert term.export("canvas", site.exported(), "--student", "bob") == 0, term.said
    assert set(site.imported(term.to.read_bytes())[0]) == {("Bob Jones", "123456")}
    assert term.export("canvas", site.exported(), "--student", "nobody") == 2


# -- Moodle


def moodle(**more: object) -> Moodle:
    return Moodle(
        [
            MoodleStudent(11, "Ann Lee", "3031", "", "", "Well\ndone; see me"),
            MoodleStudent(12, "Bob Jones", "", "BOB@x.edu", "1.00"),
            MoodleStudent(13, "Zoë Ångström", "", "", "-"),
            MoodleStudent(14, "Dan O'Neil", "3034", "", "2.50"),
        ],
        **more,
    )


GRADES = {"Ann Lee": ("", "5.5"), "Bob Jones": ("1.00", "3"), "Zoë Ångström": ("-", "0")}


@pytest.mark.parametrize("language", [ENGLISH, GERMAN, UNKNOWN], ids=["en", "de", "unknown"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
def test_moodle_gets_the_grades_in_any_language(
    term: Term, language: dict[str, object], bom: bytes, end: str
) -> None:
    site = moodle(language=language)
    if language is UNKNOWN:  # its columns are recognised by most of their values
        for one, email in zip(site.students, ("ann", "bob", "zoe", "dan"), strict=True):
            one.email = f"{email}@x.edu"
    given = bom + site.exported(",", end).encode()
    assert term.export("moodle", given) == 0, term.said
    written = term.to.read_bytes()
    assert site.imported(written) == GRADES
    assert written.startswith(bom)
    assert given.count(b"\r\n") == written.count(b"\r\n")


def test_a_german_worksheet_with_semicolons_gets_decimal_commas(term: Term) -> None:
    site = moodle(language=GERMAN, maximum="6,00")
    assert term.export("moodle", site.exported(";")) == 0
    assert site.imported(term.to.read_bytes(), ";")["Ann Lee"] == ("", "5,5")


def test_the_grade_column_can_be_chosen(term: Term) -> None:
    language = {**ENGLISH, "columns": [*ENGLISH["columns"][:5], "Mark", *ENGLISH["columns"][6:]]}
    site = moodle(language=language)
    assert term.export("moodle", site.exported(), "--column", "Points") == 2
    assert "'Mark'" in term.said
    assert term.export("moodle", site.exported(), "--column", "mark") == 0
    assert site.imported(term.to.read_bytes()) == GRADES


def test_unmatched_rows_are_unchanged_and_named(term: Term) -> None:
    site = moodle()
    site.students.append(MoodleStudent(15, "Eve Adams", "3999", "eve@x.edu", "1.00", "=1+1"))
    assert term.export("moodle", site.exported()) == 1
    assert "1 student of Moodle not in students.csv" in term.said
    assert "'Eve Adams'" in term.said
    assert site.imported(term.to.read_bytes()) == GRADES


def test_a_profile_with_another_students_address_is_not_trusted(term: Term) -> None:
    language = {**ENGLISH, "columns": [*ENGLISH["columns"][:3], "Department", *("Status",)]}
    language["columns"] += ENGLISH["columns"][5:]
    site = moodle(language=language)
    site.students[1] = MoodleStudent(12, "Bob Jones", "3032", "ann@x.edu", "1.00")
    assert term.export("moodle", site.exported()) == 0, term.said
    assert site.imported(term.to.read_bytes()) == GRADES


def test_grades_above_moodles_maximum_are_reported(term: Term) -> None:
    assert term.export("moodle", moodle(maximum="5.00").exported()) == 1
    assert "Moodle accepts no grade above 5, but these students have more: ann" in term.said


@pytest.mark.parametrize("language", [ENGLISH, GERMAN], ids=["en", "de"])
def test_grades_that_are_locked_in_moodle_are_reported(
    term: Term, language: dict[str, object]
) -> None:
    site = moodle(language=language)
    site.students[1].locked = True
    site.students[0].locked, site.students[0].grade = True, "5.50"
    assert term.export("moodle", site.exported()) == 1
    assert "These students have such grades: bob. Unlock them there" in term.said
    assert site.imported(term.to.read_bytes()).keys() == {"Bob Jones", "Zoë Ångström"}


def test_a_worksheet_with_one_participant_twice_is_refused(term: Term) -> None:
    site = moodle()
    site.students.append(site.students[0])
    assert term.export("moodle", site.exported()) == 2
    # Ann's comment has two lines.
    assert "platform.csv, line 7: 'Participant 11' is already in line 2" in term.said
    assert not term.to.exists()


# -- bad files


@pytest.mark.parametrize("kind", ["canvas", "moodle"])
def test_a_file_that_is_cut_off_anywhere_never_blanks_or_changes_a_grade(
    term: Term, kind: str
) -> None:
    site = canvas() if kind == "canvas" else moodle()
    whole = site.exported()
    expected = SCORES if kind == "canvas" else GRADES
    for length in range(0, len(whole), 29):
        term.to.unlink(missing_ok=True)
        cut = whole[:length]
        status = term.export(kind, cut)
        if cut.endswith("\n"):
            continue
        assert status != 0, cut
        if status == 2:
            assert "platform.csv" in term.said
            assert not term.to.exists()
        elif kind == "canvas":
            for key, change in site.imported(term.to.read_bytes())[0].items():
                assert expected.get(key) == change


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: expected the names of columns"),
        (b"\x00\x01\x02", "not text"),
        (b"\xff\xfeS", "not text"),
        (b"a,b\n1,2\n", "line 1: expected a gradebook that Canvas exported"),
        (b'Student,ID,Section,ps1 (1)\n"Lee,1,2,3\n', "line 2: a quoted value"),
        (b"Student,ID,Section,ps1 (1)\nLee, Ann,1,2,3\n", "line 2: expected 4 values, found 5"),
        (b"Student,ID,Section,ps1 (1)\nLee,1,2,3\n", "expected a row that begins with Points"),
        (b'Student,ID,Section,ps1 (1)\n"a"b,1,2,3\n', "line 2: it is not a CSV file"),
    ],
)
def test_a_file_that_is_not_a_gradebook_is_refused_with_its_line(
    term: Term, content: bytes, said: str
) -> None:
    term.to.write_text("mine")
    assert term.export("canvas", content) == 2
    assert said in term.said
    assert term.to.read_text() == "mine"


def test_a_line_without_an_end_is_reported(term: Term) -> None:
    site = canvas()
    assert term.export("canvas", site.exported().removesuffix("\r\n")) == 1
    assert "the line has no line end" in term.said
    assert site.imported(term.to.read_bytes())[0] == SCORES


def test_rows_without_trailing_empty_values_are_complete(term: Term) -> None:
    site = moodle()
    text = "\n".join(line.removesuffix(",") for line in site.exported().split("\n"))
    assert term.export("moodle", text) == 0
    rows = list(csv.reader(io.StringIO(term.to.read_text(encoding="utf-8"))))
    assert [row[5] for row in rows[1:]] == ["5.5", "3", "0", "2.50"]


def test_the_input_is_overwritten_only_if_it_is_named(term: Term, monkeypatch) -> None:
    site = canvas()
    term.file = term.root / "ps1_canvas.csv"
    monkeypatch.chdir(term.root)
    term.file.write_text(site.exported(), encoding="utf-8", newline="")
    words = ["--course", str(term.course.folder), "export", "ps1", "--as", "canvas"]
    assert main([*words, "--fill", "ps1_canvas.csv"]) == 2
    assert site.imported(term.file.read_bytes()) == ({}, [])
    assert main([*words, "--fill", "ps1_canvas.csv", "--to", "ps1_canvas.csv"]) == 0
    assert site.imported(term.file.read_bytes())[0] == SCORES


@pytest.mark.parametrize("name", ["gradebook.db", "students.csv", "source/ps1/ps1.ipynb"])
def test_a_file_of_the_course_is_not_overwritten(term: Term, name: str, monkeypatch) -> None:
    monkeypatch.chdir(term.course.folder)
    path = term.course.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    before = path.read_bytes()
    for words in (["export", "ps1", "--as", "questions"], ["results-json", "ps1", "ann"]):
        assert main([*words, "--to", name]) == 2
    assert main(["plots", "ps1", "--out", name]) == 2
    assert path.read_bytes() == before


@pytest.mark.slow
@pytest.mark.xdist_group("exports")
def test_nbgraders_export_does_not_overwrite_the_list_of_students(term: Term) -> None:
    exporter = "--exporter=hw_grading.exports.plugins.PlainCsv"
    done = run(term.course.folder, "export", exporter, "--to=students.csv")
    assert done.returncode == 1
    assert "students.csv is the list of students" in done.stdout + done.stderr
    assert (term.course.folder / "students.csv").read_text(encoding="utf-8") == ROSTER


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine")

    def fails(self: Path, content: bytes) -> int:
        self.touch()
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", fails)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    assert path.read_text() == "mine"


@pytest.mark.parametrize("case", ["no folder", "a folder"])
def test_a_file_that_cannot_be_written_is_named_and_not_the_temporary_one(
    tmp_path: Path, case: str
) -> None:
    path = tmp_path / "table.csv"
    if case == "a folder":
        path.mkdir()
    path = path / "table.csv" if case == "no folder" else path
    with pytest.raises(OSError, match=r"table\.csv") as caught:
        write_whole(path, b"new")
    said = in_words(caught.value)
    assert ".tmp" not in said
    told = f"{path.parent}: there is no such folder. Make it first" if case == "no folder" else path
    assert said.startswith(str(told))
    assert [p.name for p in tmp_path.rglob("*.tmp")] == []


def test_an_unchanged_sheet_is_written_back_identically(tmp_path: Path) -> None:
    text = 'sep=;\r\n"a" ;b\r\n\r\n 1 ;"x\r\ny"\r\n;;\r\n'
    for bom, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (b"", "utf-8")):
        path = tmp_path / "sheet.csv"
        path.write_bytes(bom + text.replace('"a" ', '"a"').replace(";;", ";").encode(encoding))
        sheet = read_sheet(path)
        assert sheet.with_values({}) == path.read_bytes()
        assert [row.number for row in sheet.rows] == [4]
        changed = sheet.with_values({4: {0: "2"}})[len(bom) :].decode(encoding)
        assert '2;"x\r\ny"\r\n' in changed


@given(
    st.lists(st.sampled_from([*',;\t"\r\n', "a", "é", "\u2028", "\0", "sep=;\n"]), max_size=30),
    st.sampled_from([b"", codecs.BOM_UTF8]),
)
def test_any_file_is_refused_or_written_back_identically(pieces: list[str], bom: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        path.write_bytes(bom + "".join(pieces).encode())
        with contextlib.suppress(Unreadable):
            sheet = read_sheet(path)
            assert sheet.with_values({}) == path.read_bytes()
            assert all(len(row.values) == len(sheet.header.values) for row in sheet.rows)


def test_a_link_to_nowhere_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(Unreadable, match=path.name):
            read_sheet(path)


# -- tables of our own


def test_the_columns_for_gradescope_are_those_of_gradescopes_importer(term: Term) -> None:
    with Gradebook(term.course.db_url) as gradebook:
        gradebook.find_submission("ps1", "bob").timestamp = datetime(2022, 10, 5, 9, 30)
        gradebook.find_assignment("ps1").duedate = datetime(2022, 10, 5, 6, 59, 59)
        gradebook.db.commit()
    add_student(term.course, "eve", first_name="=Eve", last_name="-1", email="@x")
    term.roster(ROSTER + "eve,,,,,\n")
    assert term.export("gradescope") == 1
    rows = {row["SID"]: row for row in term.table()}
    scored = {sid: row["Total Score"] for sid, row in rows.items()}
    assert scored == {"3031": "5.5", "3032": "3.0", "3033": "0.0", "3034": "", "eve": "0.0"}
    status = {sid: row["Status"] for sid, row in rows.items()}
    assert status["3031"] == "Graded"
    assert status["3034"] == "Missing"
    assert status["eve"] == "Ungraded"
    assert {row["Max Points"] for row in rows.values()} == {"6.0"}
    bob = rows["3032"]
    assert (bob["First Name"], bob["Last Name"], bob["Email"]) == ("Bob", "Jones", "bob@x.edu")
    assert bob["Submission Time"] == "2022-10-05 09:30:00 +0000"
    assert bob["Lateness (H:M:S)"] == "02:30:01"
    assert bob["Q1: Limits (6.0 pts)"] == "3.0"
    assert rows["eve"]["Q1: Limits (6.0 pts)"] == ""
    assert (rows["eve"]["First Name"], rows["eve"]["Email"]) == ("'=Eve", "'@x")


def test_the_parts_of_a_score_add_up(term: Term) -> None:
    add_student(term.course, "dan")
    grade_elsewhere(term.course, "dan", 1, "why")
    with Gradebook(term.course.db_url) as gradebook:
        notebook = gradebook.find_submission_notebook("ps1", "ps1", "ann")
        notebook.late_submission_penalty = 1.25
        gradebook.db.commit()
    assert term.export("questions") == 1
    rows = {row["student_id"]: row for row in term.table()}
    assert list(rows) == ["ann", "bob", "dan", "zoe"]
    for row in rows.values():
        cells = sum(float(row[name] or 0) for name in ("why", "plot"))
        assert cells + float(row["corrections"]) == float(row["score"])
        assert float(row["score"]) - float(row["penalty"]) == float(row["final"])
        assert (row["why max"], row["plot max"], row["max"]) == ("4.0", "2.0", "6.0")
    assert rows["ann"]["final"] == "4.25"
    assert (rows["dan"]["plot"], rows["dan"]["plot by"]) == ("", "waits")
    assert rows["dan"]["why by"] == "person"


def test_an_own_table_takes_no_file_to_fill_in(term: Term) -> None:
    assert term.export("questions", "a,b\n") == 2
    assert term.export("canvas") == 2
    assert "expected a file from Canvas" in term.said


def test_corrections_and_penalties_count_in_every_export(term: Term, monkeypatch) -> None:
    """Whatever makes up the final score, all exports agree with it."""

    def corrected(course: Course, assignment: str) -> FinalScores:
        finals = final_scores(course, assignment)
        more = Correction(1, "why", 1.0, "=the question was unclear")
        students = {
            key: replace(one, corrections=(more,), score=one.score + 1, penalty=0.75)
            for key, one in finals.students.items()
        }
        return replace(finals, students=students, max_score=7.0)

    monkeypatch.setattr("hw_grading.exports.grades.final_scores", corrected)
    site = canvas(assignments=(("55", "Quiz", "10"), ("123456", "ps1", "7")))
    assert term.export("canvas", site.exported()) == 0
    changes, _ = site.imported(term.to.read_bytes())
    assert changes["Ann Lee", "123456"] == ("", "5.75")
    worksheet = moodle(maximum="7.00")
    assert term.export("moodle", worksheet.exported()) == 0
    assert worksheet.imported(term.to.read_bytes())["Ann Lee"] == ("", "5.75")
    assert term.export("gradescope") == 0
    ann = next(row for row in term.table() if row["SID"] == "3031")
    assert (ann["Total Score"], ann["Max Points"], ann["Q1: Limits (6.0 pts)"]) == (
        "5.75",
        "7.0",
        "6.5",
    )
    assert term.export("questions") == 0
    ann = term.table()[0]
    assert (ann["corrections"], ann["score"], ann["penalty"], ann["final"]) == (
        *("1.0", "6.5", "0.75", "5.75"),
    )
    assert ann["why_corrections"] == "'=the question was unclear"


# -- nbgrader's own command


@pytest.mark.slow
@pytest.mark.xdist_group("exports")
def test_nbgrader_exports_through_the_plug_ins(term: Term) -> None:
    site = canvas()
    term.file.write_text(site.exported(), encoding="utf-8", newline="")
    root, plugins = term.course.folder, "--exporter=hw_grading.exports.plugins"

    def export(*words: str) -> tuple[int, str]:
        done = run(root, "export", *words)
        return done.returncode, done.stdout + done.stderr

    status, said = export(f"{plugins}.Canvas", f"--Canvas.fill={term.file}", f"--to={term.to}")
    assert (status, site.imported(term.to.read_bytes())[0]) == (0, SCORES), said
    term.file.write_text(moodle().exported(), encoding="utf-8", newline="")
    status, said = export(f"{plugins}.Moodle", f"--Moodle.fill={term.file}", f"--to={term.to}")
    assert (status, moodle().imported(term.to.read_bytes())) == (0, GRADES), said
    assert export(f"{plugins}.Questions")[0] == 0
    assert (root / "ps1_questions.csv").is_file()
    status, said = export(f"{plugins}.Canvas")
    assert status == 1
    assert "--Canvas.fill=FILE" in said
    assert "Traceback" not in said
    with Gradebook(term.course.db_url) as gradebook:
        gradebook.add_assignment("ps2")
    status, said = export(f"{plugins}.Gradescope")
    assert status == 1
    assert "one homework at a time, found 'ps1', 'ps2'" in said
    assert export(f"{plugins}.Gradescope", "--assignment=ps1")[0] == 0
    assert (root / "ps1_gradescope.csv").is_file()
    assert export(f"{plugins}.PlainCsv", "--assignment=ps1", "--student=bob")[0] == 0
    with (root / "grades.csv").open(encoding="utf-8", newline="") as stream:
        rows = [(r["assignment"], r["student_id"], r["score"]) for r in csv.DictReader(stream)]
    assert rows == [("ps1", "bob", "3.0")]


# -- results.json


@pytest.mark.slow
@pytest.mark.xdist_group("exports")
@pytest.mark.smoke
def test_results_json_shows_a_student_the_content_of_feedback(
    course: ToyCourse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = course.answer(
        triple="def triple(x):\n    print('\\x1b[2J')\n    return 6 if x == 2 else -1"
    )
    course.submit("ann", notebook)
    assert course.grade().returncode == 0
    (tmp_path / "mine.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    before = sorted(path for path in course.root.rglob("*") if path.is_file())
    results = []
    for words in (["ann"], ["--notebook", str(tmp_path / "mine.ipynb")]):
        to = tmp_path / "results.json"
        command = ["--course", str(course.root), "results-json", "hw2", *words, "--to", str(to)]
        assert main(command) == 0, capsys.readouterr()
        results.append(json.loads(to.read_text(encoding="utf-8")))
    assert results[0] == results[1]
    assert sorted(path for path in course.root.rglob("*") if path.is_file()) == before
    told = results[0]
    tests = {test["name"]: test for test in told["tests"]}
    assert told["score"] == sum(test["score"] for test in told["tests"]) == 2
    assert [test["max_score"] for test in told["tests"]] == [2, 1, 3]
    assert set(told) == {"score", "output", "visibility", "stdout_visibility", "tests"}
    assert told["visibility"] == "after_published"
    for test in tests.values():
        assert set(test) == {"score", "max_score", "name", "number", "output", "visibility"}
        assert "15" not in test["output"]  # of the hidden test
        assert "triple(5)" not in test["output"]
        assert all(c == "\n" or c.isprintable() for c in test["output"])
    assert tests["test_double"]["output"] == ""
    assert "AssertionError" in tests["test_triple"]["output"]
    dropped = ["correct", "hw2", "test_triple", "--drop", "--reason", "not taught"]
    assert main(["--course", str(course.root), *dropped]) == 0
    command = ["--course", str(course.root), "results-json", "hw2", "ann", "--to", str(to)]
    assert main(command) == 0
    tests = {test["name"]: test for test in json.loads(to.read_text(encoding="utf-8"))["tests"]}
    # Gradescope shows score and maximum side by side, so a dropped question must not be 0 of 3.
    assert (tests["test_triple"]["score"], tests["test_triple"]["max_score"]) == (0, 0)
    assert "not taught" in tests["test_triple"]["output"]


@pytest.mark.slow
@pytest.mark.xdist_group("exports")
def test_results_json_of_a_file_that_is_not_a_notebook_is_a_zero_with_a_reason(
    course: ToyCourse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, to = tmp_path / "mine.ipynb", tmp_path / "results.json"
    bad.write_text("no notebook")
    command = ["--course", str(course.root), "results-json", "hw2", "--to", str(to)]
    assert main([*command, "--notebook", str(bad)]) == 0
    told = json.loads(to.read_text(encoding="utf-8"))
    assert told["score"] == 0
    assert "is not a readable notebook" in told["output"]
    said = capsys.readouterr().out
    assert "points from tests" in said
    assert told["output"] in said
    assert main([*command, "--notebook", str(tmp_path / "none.ipynb")]) == 2
    assert main([*command[:4], "nobody"]) == 2
    assert "'nobody' has submitted nothing" in capsys.readouterr().err
