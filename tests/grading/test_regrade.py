"""After fresh cases were corrected, a regrade shows whose score changed, and why."""

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import class_of_ps1 as ps1
import pytest
from nbgrader.api import Gradebook
from tiny_homeworks import manifest_of

from hw_grading.__main__ import main
from hw_grading.analysis.changes import compare
from hw_grading.analysis.regrade_page import as_csv, as_page, in_words
from hw_grading.batch.snapshot import Conditions, Effect, Notebook, Points, Snapshot, Work, take
from hw_grading.batch.snapshots import Snapshots
from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.book import GradeBook
from hw_grading.gradebook.graded_notebook import PartResult, parts_of
from hw_grading.gradebook.model import Grading, Mark
from hw_grading.gradebook.questions import Place, Places
from hw_grading.homework.course import Course
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import Kind, Problem, Severity

RIGHT = [f"right{number:02d}" for number in range(22)]
SIZE = [f"size{number:02d}" for number in range(5)]
BROKEN = [f"wrong{number:02d}" for number in range(13)]
WRONG = "def double(x):\n    return 3 * x"


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Forty students, graded with the wrong test and by hand."""
    course = ps1.make_course(tmp_path_factory.mktemp("class") / "course")
    answers = dict.fromkeys(RIGHT, ps1.RIGHT) | dict.fromkeys(SIZE, ps1.SIZE)
    for student, answer in (answers | dict.fromkeys(BROKEN, WRONG)).items():
        ps1.submit(course, student, answer)
    assert course.nbgrader("autograde", "ps1") == 0
    ps1.grade_by_hand(course, 0.5)
    return course


@pytest.fixture
def course(graded_class: Course, tmp_path: Path) -> Course:
    return ps1.copied(graded_class, tmp_path / "course")


@pytest.fixture
def few(course: Course) -> Course:
    """Three students of the class, which take less time to grade."""
    for student in {*RIGHT, *SIZE, *BROKEN} - {"right00", "size00", "wrong00"}:
        with Gradebook(course.db_url) as gradebook:
            gradebook.remove_student(student)
        for folder in (course.submitted(student, "ps1"), course.autograded(student, "ps1")):
            (folder / "ps1.ipynb").unlink()
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
            folder.parent.rmdir()
    return course


def regrade(course: Course, *words: str) -> int:
    return main(["--course", str(course.folder), "regrade", "ps1", *words])


def table(course: Course) -> list[dict[str, str]]:
    """The lines of the newest CSV."""
    newest = max((course.folder / "grading" / "regrades").glob("ps1-*.csv"))
    return list(csv.DictReader(io.StringIO(newest.read_text(encoding="utf-8"))))


def changes(course: Course) -> dict[str, tuple[str, str, str]]:
    return {r["student"]: (r["points_before"], r["points_after"], r["why"]) for r in table(course)}


WHY = "staff code changed: staff/ps1/fresh.py"
EXPECTED = dict.fromkeys(RIGHT, ("1.0", "2.0", WHY)) | dict.fromkeys(SIZE, ("2.0", "1.0", WHY))


@pytest.mark.slow
@pytest.mark.xdist_group("regrade")
def test_one_command_regrades_after_a_fixed_test_and_keeps_scores_by_hand(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    book = GradeBook(course, "ps1")
    mark = Mark(adjustment=0.75, comment="Signed where?", done=True)
    versions = {"right00": book.grading("certification", "right00").version}
    revision = book.rubric("certification").revision
    saved = book.save("certification", versions, mark, grader="kim", rubric_revision=revision)
    assert isinstance(saved["right00"], Grading)
    book.close()
    given = ps1.by_hand(course)
    assert given["right00"] == (0.75, False)
    ps1.edit(course, ps1.RIGHT_TEST)
    start = course.release("ps1") / "START.html"
    start.write_text("How to start")
    course.feedback("right00", "ps1").mkdir(parents=True)

    assert regrade(course) == 0
    said = capsys.readouterr().out
    assert start.read_text() == "How to start"
    assert "To make them again: nbgrader generate_feedback ps1 --force" in said
    assert changes(course) == EXPECTED
    assert {r["part"] for r in table(course)} == {"elsewhere"}
    assert "elsewhere: passes now for 22, fails now for 5" in said
    assert "27 scores changed, of 27 students: 22 up, 5 down. 40 students compared." in said
    assert "40 scores that people gave are kept." in said
    assert "wait" not in said
    assert ps1.by_hand(course) == given
    with Gradebook(course.db_url) as gradebook:
        comment = gradebook.find_comment("certification", "ps1", "ps1", "right00")
        assert "Signed where?" in comment.comment
    page = max((course.folder / "grading" / "regrades").glob("*.html")).read_text()
    assert page.count("<bdi>right") == 22
    assert "http" not in page.replace("http-equiv", "")

    assert regrade(course) == 0
    assert "No score changed. 40 students" in capsys.readouterr().out
    assert len(list((course.folder / "grading" / "regrades").glob("*.csv"))) == 1


@pytest.mark.slow
@pytest.mark.xdist_group("regrade")
def test_only_an_answer_that_was_submitted_again_waits_again(
    few: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    ps1.submit(few, "right00", ps1.SIZE, place="Rome")
    assert regrade(few, "--student", "right00") == 0
    assert changes(few) == {"right00": ("1.0", "2.0", "answer changed: certification, double")}
    said = capsys.readouterr().out
    assert "A person has to look at 1 answer again:" in said
    assert "right00, Certification: the answer changed" in said
    assert ps1.by_hand(few) == {
        "right00": (0.5, True),
        "size00": (0.5, False),
        "wrong00": (0.5, False),
    }


@pytest.mark.slow
@pytest.mark.xdist_group("regrade")
def test_a_persons_score_for_a_test_counts_until_the_test_gives_other_points(
    few: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    with Gradebook(few.db_url) as gradebook:
        for student in ("right00", "wrong00"):
            grade = gradebook.find_grade("test_double", "ps1", "ps1", student)
            grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    ps1.edit(few, ps1.RIGHT_TEST)
    assert regrade(few) == 0
    kept = ps1.by_hand(few, "test_double")
    assert (kept["right00"], kept["wrong00"]) == ((1.5, True), (1.5, False))
    by_student = {row["student"]: row for row in table(few)}
    assert set(by_student) == {"right00", "size00"}
    row = by_student["right00"]
    assert (row["points_before"], row["points_after"]) == ("1.5", "1.5")
    assert (row["tests_before"], row["tests_after"]) == ("1.0", "2.0")
    said = capsys.readouterr().out
    assert "1.5 → 1.5 (by hand; tests 1 → 2)" in said
    assert "right00, The function `double`: the test gives different points" in said


def written(path: Path) -> int | None:
    try:
        return os.lstat(path).st_ctime_ns
    except OSError:
        return None


@pytest.mark.slow
@pytest.mark.xdist_group("regrade")
def test_a_killed_regrade_is_continued_and_compared_with_the_old_scores(
    few: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    ps1.edit(few, ps1.RIGHT_TEST)
    command = [sys.executable, "-m", "hw_grading", "--course", str(few.folder)]
    running = subprocess.Popen([*command, "regrade", "ps1"], start_new_session=True)
    first = few.autograded("right00", "ps1") / "ps1.ipynb"
    before = written(first)
    try:
        while written(first) in (before, None):
            assert running.poll() is None, "it ended before it could be killed"
            time.sleep(0.02)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert not (few.folder / "grading" / "regrades").exists()

    assert regrade(few) == 0
    assert "An earlier regrade did not finish. This one continues it" in capsys.readouterr().out
    assert changes(few) == {name: EXPECTED[name] for name in ("right00", "size00")}
    assert set(ps1.by_hand(few).values()) == {(0.5, False)}
    assert not list((few.folder / "grading" / "snapshots").rglob("before-*"))


@pytest.mark.slow
@pytest.mark.xdist_group("regrade")
def test_all_named_students_are_graded_again_and_no_others(
    few: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    ps1.edit(few, ps1.RIGHT_TEST)
    untouched = written(few.autograded("size00", "ps1") / "ps1.ipynb")
    assert regrade(few, "--student", "right00", "--student", "wrong00") == 0
    assert changes(few) == {"right00": EXPECTED["right00"]}
    assert written(few.autograded("size00", "ps1") / "ps1.ipynb") == untouched
    capsys.readouterr()
    assert regrade(few, "--dry-run", "--student", "right00", "--student", "wrong00") == 0
    assert "all results are up to date" in capsys.readouterr().out
    assert regrade(few, "--dry-run") == 0
    assert f"run 1 submission again: {WHY}" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.xdist_group("regrade")
def test_a_dry_run_finds_scores_of_another_version_of_a_test(
    few: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    ps1.edit(few, ps1.WRONG_TEST, ps1.OTHER)
    assert few.nbgrader("generate_assignment", "ps1", "--force") == 0
    assert few.nbgrader("autograde", "ps1", "--force", "--student=right00") == 0
    capsys.readouterr()
    assert regrade(few, "--dry-run") == 0
    assert (
        "A regrade would run 2 submissions again, graded with another version of test_double."
    ) in capsys.readouterr().out
    assert regrade(few, "--dry-run", "--student", "right00") == 0
    assert "all results are up to date" in capsys.readouterr().out
    assert regrade(few) == 0
    assert regrade(few, "--dry-run") == 0
    assert "all results are up to date" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.xdist_group("regrade")
def test_a_changed_limit_is_given_as_the_reason(few: Course) -> None:
    busy = (
        "import time\nend = time.process_time() + 1.5\nwhile time.process_time() < end:\n    pass"
    )
    ps1.submit(few, "size00", f"{busy}\n{ps1.SIZE}")
    assert few.nbgrader("autograde", "ps1", "--force") == 0
    manifest = few.folder / "staff" / "ps1" / "homework.toml"
    manifest.write_text(manifest_of("ps1") + "[limits.double]\ncpu_seconds = 0.5\n")
    assert regrade(few) == 0
    rows = table(few)
    assert {row["student"] for row in rows} == {"size00"}
    why = rows[0]["why"]
    assert "limit changed: cpu_seconds of double none → 0.5" in why
    assert "reaches a limit now: Cell 'double' did not end" in why


@pytest.mark.slow
@pytest.mark.xdist_group("regrade")
def test_a_dry_run_shows_its_plan_and_writes_nothing(
    few: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(few)
    assert regrade(few, "--dry-run") == 0
    assert "A regrade would run no submission again" in capsys.readouterr().out
    manifest = few.folder / "staff" / "ps1" / "homework.toml"
    manifest.write_text(manifest_of("ps1") + "[limits.double]\ncpu_seconds = 9\n")
    assert regrade(few, "--dry-run") == 0
    said = capsys.readouterr().out
    assert (
        "A regrade would run 3 submissions again: limit changed: cpu_seconds of double none → 9."
        in said
    )
    manifest.write_text(manifest_of("ps1"))
    ps1.submit(few, "right00", ps1.SIZE)
    assert regrade(few, "--dry-run") == 0
    assert (
        "A regrade would run 1 submission again because the students submitted again: right00."
    ) in capsys.readouterr().out
    ps1.edit(few, ps1.RIGHT_TEST, ps1.OTHER)
    assert regrade(few, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "These cells were edited since the release: test_double." in said
    assert "It would run 3 submissions again" in said
    assert state(few) == before


def state(course: Course) -> dict[str, bytes]:
    """The contents of what was graded."""
    folders = [course.folder / name for name in ("autograded", "grading", "release")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(p): p.read_bytes() for p in [*files, course.folder / "gradebook.db"]}


@pytest.mark.slow
@pytest.mark.xdist_group("regrade")
def test_an_impossible_regrade_gives_one_sentence_and_changes_nothing(
    few: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(few)
    assert regrade(few, "--student", "right00", "--student", "nobody") == 2
    said = capsys.readouterr().err
    assert "has no scores of 'nobody'" in said
    assert said.count("\n") == 1
    notebook = ps1.source()
    del notebook.cells[-1]
    ps1.write_homework(few.folder, "ps1", notebook, manifest_of("ps1"))
    assert regrade(few) == 2
    said = capsys.readouterr().err
    assert "removed try_it" in said
    assert "Undo these changes" in said
    assert state(few) == before
    mistyped = ps1.source()
    cell = cell_of(mistyped, "test_double")
    cell.source = cell.source.replace("BEGIN HIDDEN", "BEGIN HIDEN")
    ps1.write_homework(few.folder, "ps1", mistyped, manifest_of("ps1"))
    assert regrade(few) == 2
    assert "END HIDDEN TESTS is not allowed here" in capsys.readouterr().err
    assert state(few) == before
    (few.source("ps1") / "ps1.ipynb").write_text("{")
    assert regrade(few) == 2
    said = capsys.readouterr()
    assert "ps1.ipynb" in said.err
    assert "An earlier regrade" not in said.out
    assert state(few) == before


def test_an_ungraded_homework_is_not_regraded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = Course(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    assert regrade(course) == 2
    assert "There is no gradebook" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "nbgrader_config.py"]


# -- snapshots, without a gradebook

LIMITS = Conditions({"cpu_seconds_per_cell": "60"}, {"staff/ps1/fresh.py": "a"}, {"numpy": "2.0"})


def work(points: float, **more: Any) -> Work:
    parts = {
        "test_double": [PartResult("elsewhere", 1.0, points == 2, "" if points == 2 else "no")]
    }
    notebook = Notebook(parts, {"double": "x", "": "y"}, {"test_double": "t", "setup": "s"})
    scores = {"test_double": Points(points, None, 0.0, False)}
    made = Work([1], points, scores, {}, notebook, "now")
    of_notebook = {name: more.pop(name) for name in list(more) if name in notebook.__dict__}
    return replace(made, notebook=replace(notebook, **of_notebook), **more)


def snapshot(student: str, one: Work, most: float = 2.0, conditions: Any = LIMITS) -> Snapshot:
    known = {"now": conditions} if conditions else {}
    moment = datetime(2030, 9, 11, 12, tzinfo=UTC)
    return Snapshot("ps1", moment, {"test_double": most}, [], {student: one}, known)


def why(old: Snapshot, new: Snapshot) -> tuple[str, ...]:
    (change,) = compare(old, new, Places()).changes
    return change.why


def reasons_between() -> Iterator[Any]:
    numpy = replace(LIMITS, packages={"numpy": "2.1"})
    staff = replace(LIMITS, code={"staff/ps1/fresh.py": "b"})
    problem = Problem(Kind.TIME_LIMIT, Severity.FAILED, "It did not end.", "double")
    edited = Problem(Kind.EDITED_CELL, Severity.MENDED, "It was edited.", "setup")
    yield work(2, instructors={"test_double": "u", "setup": "s"}), LIMITS, "test changed"
    yield (
        work(2, instructors={"test_double": "t", "setup": "u"}),
        LIMITS,
        ("instructor's cells changed: setup"),
    )
    yield work(2, answers={"double": "z", "": "y"}), LIMITS, "answer changed: double"
    yield work(2, answers={"double": "x", "": "z"}), LIMITS, "answer changed"
    yield work(2), staff, "staff code changed: staff/ps1/fresh.py"
    yield work(2), numpy, "packages changed: numpy 2.0 → 2.1"
    yield (
        work(2),
        replace(LIMITS, limits={"cpu_seconds_per_cell": "90"}),
        ("limit changed: cpu_seconds_per_cell 60 → 90"),
    )
    yield work(2, problems=[problem]), LIMITS, "reaches a limit now: It did not end."
    yield work(2, problems=[edited]), LIMITS, "repaired now: It was edited."
    yield (
        work(2, corrections={"test_double": [Effect(1.0, "for all", 1)]}),
        LIMITS,
        ("correction: +1, for all"),
    )
    yield (
        work(2),
        LIMITS,
        ("no change is recorded: the answer may be random, or close to a limit"),
    )
    yield (
        work(2),
        None,
        ("unknown: limits, the homework's code or packages may have changed (no record of them)"),
    )


@pytest.mark.parametrize(("after", "conditions", "expected"), list(reasons_between()))
def test_the_reason_is_the_difference(after: Work, conditions: Any, expected: str) -> None:
    before = snapshot("ada", work(1))
    assert why(before, snapshot("ada", after, conditions=conditions)) == (expected,)


@pytest.mark.parametrize("keys", [(1, 1), (0, 1), (0, 0)])  # older snapshots have no numbers
def test_a_correction_that_stands_is_no_reason(keys: tuple[int, int]) -> None:
    effects = [Effect(-2.0, "broken", keys[0]), Effect(0.0, "broken", keys[1])]
    works = [
        work(points, corrections={"test_double": [effect]}, answers={"double": answer})
        for points, effect, answer in zip((2, 0), effects, "xz", strict=True)
    ]
    assert why(*(snapshot("hal", one) for one in works)) == ("answer changed: double",)


def test_a_correction_that_was_undone_and_made_again_is_a_reason() -> None:
    both = (work(1, corrections={"test_double": [Effect(n, "for all", n)]}) for n in (1, 2))
    assert why(*(snapshot("ada", one) for one in both)) == (
        "correction: +2, for all",
        "correction undone: +1, for all",
    )


def test_points_that_the_instructor_changed_are_a_reason() -> None:
    found = why(snapshot("ada", work(1)), snapshot("ada", work(2), most=3.0))
    assert found[0] == "points changed: 2 → 3"


def test_names_and_messages_reach_no_spreadsheet_terminal_or_browser() -> None:
    student = '=cmd|"/C calc"!A0\x1b[31m<script>alert(1)</script>'
    message = "=1+1\x1b]0;owned\x07<img src=x onerror=alert(1)>"
    parts = {"test_double": [PartResult("elsewhere", 1.0, False, message)]}
    old, new = snapshot(student, work(2)), snapshot(student, work(1, parts=parts))
    places = Places({"test_double": Place("Q1", "<b>")})
    found = compare(old, new, places)
    (row,) = csv.DictReader(io.StringIO(as_csv(found)))
    assert row["student"].startswith("'=cmd")
    assert row["message_after"].startswith("'=1+1")
    page = as_page(found)
    assert "<script" not in page
    assert "<img" not in page
    assert "\x1b" not in page
    said = in_words(found, 100)
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) <= 100


def test_removed_and_new_parts_are_reported() -> None:
    parts = {"test_double": [PartResult("anew", 1.0, True)]}
    (change,) = compare(
        snapshot("ada", work(1)), snapshot("ada", work(2, parts=parts)), Places()
    ).changes
    assert [part.in_words for part in change.parts] == [
        "anew: none → passed",
        "elsewhere: failed → none",
    ]


def test_ungraded_students_are_named_and_new_students_are_no_change() -> None:
    old = snapshot("ada", work(1))
    new = snapshot("ada", work(1, trouble="its last grading did not finish"))
    assert compare(old, new, Places()).not_graded == (("ada", "its last grading did not finish"),)
    found = compare(old, snapshot("bob", work(2)), Places())
    assert (found.changes, found.new, found.compared) == ((), ("bob",), 0)


def test_a_lost_score_of_a_person_is_reported_in_capitals() -> None:
    scores = {"test_double": Points(1, 2.0, 0.0, False)}
    found = compare(snapshot("ada", work(1, scores=scores)), snapshot("ada", work(1)), Places())
    assert "LOST: the score that a person gave to ada, test_double." in in_words(found, 100)


@pytest.mark.parametrize(
    ("scores", "said"),
    [(1, "1 score that a person gave is kept."), (2, "2 scores that people gave are kept.")],
)
def test_kept_scores_of_people_are_counted(scores: int, said: str) -> None:
    by_hand = {f"q{n}": Points(1, 2.0, 0.0, False) for n in range(scores)}
    found = compare(*[snapshot("ada", work(1, scores=by_hand)) for _ in range(2)], Places())
    assert said in in_words(found, 100)


def test_a_question_for_people_that_has_other_points_is_named() -> None:
    scores = {"why": Points(1.5, None, 0.0, False)}
    before, after = (
        replace(snapshot("ada", work(1, scores=scores)), max_points={"why": most}, by_hand=["why"])
        for most in (2.0, 1.0)
    )
    places = Places(why=Place("1.2", "Why"))
    assert "1.2 Why is worth 1 now, 2 before." in in_words(compare(before, after, places), 200)
    assert "is worth" not in in_words(compare(after, after, places), 200)


def test_parts_are_read_from_what_a_test_printed() -> None:
    text = (
        "passed  of one [1 pt]\n"
        "FAILED  elsewhere [0.5 pt]\n        x[0] is 1, expected 2\n"
        "FAILED  elsewhere [0.5 pt]\ndouble: 1 of 2 points in this notebook.\n"
    )
    outputs = [{"output_type": "stream", "text": text}]
    assert parts_of({"outputs": outputs}) == [
        PartResult("of one", 1.0, True),
        PartResult("elsewhere", 0.5, False, "x[0] is 1, expected 2"),
        PartResult("elsewhere (2)", 0.5, False),
    ]
    outputs.append({"output_type": "error", "ename": "NotScored", "evalue": "not run"})
    assert parts_of({"outputs": outputs})[-1] == PartResult("", 0.0, False, "not run")


def test_snapshots_are_kept_whole_the_newest_twenty_of_them(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path, "ps1")
    assert snapshots.last() is None
    made = []
    for minute in range(23):
        at = datetime(2030, 9, 11, 12, minute, tzinfo=UTC)
        made.append(replace(snapshot("ada", work(1)), at=at))
        snapshots.keep(made[-1])
    assert len(list(snapshots.folder.iterdir())) == 20
    snapshots.pin(made[0], "all")
    snapshots.pin(made[1], "ada")
    assert (snapshots.pinned("all"), snapshots.pinned("ada")) == (made[0], made[1])
    assert snapshots.last() == made[-1]
    snapshots.unpin("ada")
    assert (snapshots.pinned("all"), snapshots.pinned("ada")) == (made[0], None)


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08\0damaged"])
def test_a_damaged_snapshot_is_skipped_or_named(tmp_path: Path, content: bytes) -> None:
    snapshots = Snapshots(tmp_path, "ps1")
    snapshots.keep(snapshot("ada", work(1)))
    (good,) = snapshots.folder.iterdir()
    good.with_name("99990101T000000.000000Z.json.gz").write_bytes(content)
    assert snapshots.last() == snapshot("ada", work(1))
    snapshots.pin(snapshot("ada", work(1)), "all")
    (pin,) = snapshots.folder.glob("before-*")
    pin.write_bytes(content)
    with pytest.raises(Unreadable, match="is damaged"):
        snapshots.pinned("all")


@pytest.mark.slow
@pytest.mark.xdist_group("regrade")
def test_an_unchanged_notebook_is_not_parsed_again(
    few: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = Snapshots(few.folder / "grading", "ps1").last()
    path = few.autograded("size00", "ps1") / "ps1.ipynb"
    status = path.stat()
    os.utime(path)  # as if the notebook was written again with the same content
    with monkeypatch.context() as patch:
        patch.delattr("hw_grading.batch.snapshot.notebook_in")
        again = take(few, "ps1", last).students["size00"]
    assert again.notebook == last.students["size00"].notebook
    assert again.conditions == ""
    path.chmod(0o644)
    path.write_bytes(b" " * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    same = take(few, "ps1", last).students["size00"]
    assert same.notebook == last.students["size00"].notebook
    assert same.conditions
    os.utime(path)
    other = take(few, "ps1", last).students["size00"]
    assert "its graded notebook cannot be read" in other.notebook.trouble
    assert other.conditions == ""
