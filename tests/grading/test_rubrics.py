"""Grading by hand: saving, conflicts, rescoring, undo."""

import json
import math
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy
from by_hand import (
    ASSIGNMENT,
    PLOT,
    add_student,
    comment_of,
    copied,
    grade_again,
    grade_elsewhere,
    grade_of,
    make_course,
)
from nbgrader.api import Gradebook
from postgresql import Server

from hw_grading.homework.course import Course
from hw_grading.records import database
from hw_grading.records.database import Unavailable
from hw_grading.rubrics.book import GradeBook
from hw_grading.rubrics.digest import remember
from hw_grading.rubrics.model import (
    Conflict,
    Grading,
    Item,
    Kind,
    Mark,
    Refused,
    Rubric,
    RubricChanged,
)

STUDENTS = ["ada", "ben", "cyd", "dan"]

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # from nbgrader's code


@pytest.fixture(scope="session")
def in_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return make_course(tmp_path_factory.mktemp("by_hand") / "course", STUDENTS)


@pytest.fixture(scope="session")
def in_postgresql(tmp_path_factory: pytest.TempPathFactory, postgresql: Server) -> Course:
    folder = tmp_path_factory.mktemp("by_hand") / "course"
    return make_course(folder, STUDENTS, postgresql.new_database())


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=[pytest.mark.slow, pytest.mark.xdist_group("postgresql")]),
    ]
)
def course(request: pytest.FixtureRequest, tmp_path: Path) -> Course:
    made = request.getfixturevalue(f"in_{request.param}")
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_database(like=made.db_url)
    return copied(made, tmp_path / "course", url)


@pytest.fixture
def book(course: Course) -> Iterator[GradeBook]:
    book = GradeBook(course, ASSIGNMENT)
    yield book
    book.close()


def save(
    book: GradeBook,
    student: str,
    *numbers: int,
    grader: str = "kim",
    digest: str = "d" * 64,
    **more,
) -> Grading:
    """Save these items of the rubric, by number, and return what is saved."""
    rubric = book.rubric("why")
    chosen = frozenset(rubric.items[number].id for number in numbers)
    mark = Mark(chosen, done=bool(chosen), **more)
    version = book.grading("why", student).version
    outcomes = book.save(
        "why",
        {student: version},
        mark,
        grader=grader,
        rubric_revision=rubric.revision,
        digests={student: digest},
        seconds=2.0,
    )
    saved = outcomes[student]
    assert isinstance(saved, Grading)
    return saved


def with_points(rubric: Rubric, number: int, points: float) -> Rubric:
    items = list(rubric.items)
    items[number] = replace(items[number], points=points)
    return replace(rubric, items=tuple(items))


def test_the_first_rubric_is_the_mark_scheme_and_an_item_for_nothing(book):
    rubric = book.rubric("why")
    assert [(item.points, item.text) for item in rubric.items] == [
        (2, "names the definition, with both quantifiers."),
        (1, "chooses a $\\delta$."),
        (1, "concludes."),
        (0, "No answer, or nothing of the above."),
    ]
    assert (rubric.kind, rubric.lower, rubric.upper) == (Kind.ADDING, 0, 4)
    assert book.rubric("why") == rubric
    assert [item.points for item in book.rubric("plot").items] == [2, 0]


def test_questions_have_their_text_without_the_mark_scheme(book):
    why, plot = book.questions()
    assert (why.title, why.max_points, why.is_code) == ("Q1 a. Why", 4, False)
    assert "Why is $x^2$ continuous?" in why.text
    assert "quantifiers" not in why.text
    assert "quantifiers" in why.scheme
    assert (plot.title, plot.is_code, plot.scheme) == ("Q1 b. The plot", True, "")


def test_two_parts_of_a_question_are_told_apart(book, course):
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    document = json.loads(path.read_text())
    document["cells"] = [cell for cell in document["cells"] if PLOT not in "".join(cell["source"])]
    path.write_text(json.dumps(document))
    assert [question.title for question in book.questions()] == [
        "Q1 a. Why: text",
        "Q1 a. Why: code",
    ]


def test_an_answer_that_needed_no_person_has_no_points():
    assert Grading("ada", "1", score=None, waits=False).points == 0
    assert Grading("ada", "1", score=None, waits=True).points is None
    assert Grading("ada", "1", score=1.5, waits=False).points == 1.5


@pytest.mark.smoke
def test_a_save_is_in_the_gradebook_with_what_the_student_reads(course, book):
    saved = save(book, "ada", 0, 2, comment="Nearly: *which* $\\delta$?", adjustment=0.5)
    assert (saved.score, saved.waits, saved.overridden, saved.grader) == (3.5, False, False, "kim")
    assert grade_of(course, "ada") == (3.5, False)
    assert comment_of(course, "ada") == (
        "+2  names the definition, with both quantifiers.\n+1  concludes.\n+0.5  adjustment\n\n"
        "Nearly: *which* $\\delta$?"
    )
    assert grade_of(course, "ben") == (None, True)
    assert book.grading("why", "ada") == book.gradings("why")["ada"] == saved


def test_the_student_reads_why_the_score_is_not_the_sum_of_the_points(course, book):
    save(book, "ada", 0, 2, comment="Good.", adjustment=9)
    assert comment_of(course, "ada").endswith("\n\nThe sum is 12; the score is at most 4.\n\nGood.")
    save(book, "ben", 0, adjustment=-9)
    assert comment_of(course, "ben").endswith(
        "The sum is \N{MINUS SIGN}7; the score is at least 0."
    )
    items = tuple(replace(item, points=-item.points) for item in book.rubric("why").items)
    taking = replace(book.rubric("why"), items=items, kind=Kind.SUBTRACTING)
    book.change_rubric("why", taking, grader="kim")
    save(book, "ada", 2)
    assert "The sum" not in comment_of(course, "ada")


def test_an_answer_without_items_waits_again(course, book):
    save(book, "ada", 0)
    saved = save(book, "ada", comment="to be read again")
    assert (saved.score, saved.waits) == (None, True)
    assert grade_of(course, "ada") == (None, True)
    assert comment_of(course, "ada") is None
    assert saved.mark.comment == "to be read again"


def test_private_notes_reach_no_student(course, book):
    rubric = book.rubric("why")
    items = (replace(rubric.items[0], note="SECRET"), *rubric.items[1:])
    book.change_rubric("why", replace(rubric, items=items), grader="kim")
    save(book, "ada", 0, flagged=True, flag_note="HIDDEN")
    assert "SECRET" not in comment_of(course, "ada")
    assert "HIDDEN" not in comment_of(course, "ada")
    assert [(cell, grading.student) for cell, grading in book.flagged()] == [("why", "ada")]


@pytest.mark.parametrize(
    ("kind", "points", "adjustment", "expected"),
    [
        (Kind.ADDING, [3, 3], 0, 4),
        (Kind.ADDING, [-3, 1], 0, 0),
        (Kind.ADDING, [1, 1], -0.5, 1.5),
        (Kind.SUBTRACTING, [-1, -0.5], 0, 2.5),
        (Kind.SUBTRACTING, [-3, -3], 0, 0),
        (Kind.SUBTRACTING, [1, 0], 2, 4),
    ],
)
def test_a_score_stays_within_the_bounds(kind, points, adjustment, expected):
    items = tuple(Item(str(number), value, "x") for number, value in enumerate(points))
    rubric = Rubric(items, kind, 0, 4)
    assert rubric.score(frozenset("01"), adjustment, 4) == expected


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("points", [[2, 1, 1, 0], [1, 1], [5], [-1, -2]])
def test_full_marks_are_the_upper_bound(kind, points):
    items = tuple(Item(str(number), value, "x") for number, value in enumerate(points))
    rubric = Rubric(items, kind, 0, 4)
    chosen, adjustment = rubric.full_marks(4)
    assert rubric.score(chosen, adjustment, 4) == 4


def test_the_second_of_two_saves_is_refused_and_shows_the_first(course, book):
    seen = book.grading("why", "ada").version
    rubric = book.rubric("why")
    first = save(book, "ada", 0, grader="kim", comment="mine")
    outcomes = book.save(
        "why",
        {"ada": seen, "ben": book.grading("why", "ben").version},
        Mark(frozenset([rubric.items[1].id]), done=True),
        grader="lee",
        rubric_revision=rubric.revision,
    )
    refused = outcomes["ada"]
    assert isinstance(refused, Conflict)
    assert refused.theirs == first
    assert "graded by kim" in str(refused)
    assert grade_of(course, "ada") == (2, False)
    assert grade_of(course, "ben") == (1, False)


def test_a_score_of_formgrader_is_not_overwritten_silently(course, book):
    seen = save(book, "ada", 0).version
    grade_elsewhere(course, "ada", 3)
    rubric = book.rubric("why")
    outcomes = book.save(
        "why",
        {"ada": seen},
        Mark(frozenset([rubric.items[1].id]), done=True),
        grader="kim",
        rubric_revision=rubric.revision,
    )
    assert isinstance(outcomes["ada"], Conflict)
    now = book.grading("why", "ada")
    assert (now.score, now.overridden) == (3, True)
    assert save(book, "ada", 1).score == 1  # the grader has seen it
    assert not book.grading("why", "ada").overridden


def test_a_score_that_formgrader_is_writing_is_not_overwritten_silently(course, book):
    rubric, version = book.rubric("why"), book.grading("why", "ada").version
    mark = Mark(frozenset([rubric.items[0].id]), done=True)
    outcomes: list[Grading | Conflict] = []

    def grade() -> None:
        seen = {"ada": version}
        saved = book.save("why", seen, mark, grader="kim", rubric_revision=rubric.revision)
        outcomes.append(saved["ada"])

    with Gradebook(course.db_url) as gradebook:
        grade_there = gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "ada")
        grade_there.manual_score = 3
        gradebook.db.flush()
        thread = threading.Thread(target=grade)
        thread.start()
        thread.join(0.5)
        gradebook.db.commit()
    thread.join()
    assert isinstance(outcomes[0], Conflict)
    assert grade_of(course, "ada")[0] == 3


def test_a_change_of_points_rescores_answers_with_the_item(course, book):
    save(book, "ada", 0)
    save(book, "ben", 0, 1)
    save(book, "cyd", 1)
    grade_elsewhere(course, "dan", 3)
    changed = with_points(book.rubric("why"), 0, 1.5)
    preview = book.preview("why", changed)
    assert {(one.student, one.before, one.after) for one in preview} == {
        ("ada", 2, 1.5),
        ("ben", 3, 2.5),
    }
    assert grade_of(course, "ada") == (2, False)
    _, rescored = book.change_rubric("why", changed, grader="kim")
    assert rescored == preview
    assert [grade_of(course, student)[0] for student in STUDENTS] == [1.5, 2.5, 1, 3]
    assert comment_of(course, "ada").startswith("+1.5  names")
    assert not book.grading("why", "ada").overridden

    back, rescored = book.undo_rubric("why", grader="kim")
    assert back.items[0].points == 2
    assert len(rescored) == 2
    assert [grade_of(course, student)[0] for student in STUDENTS] == [2, 3, 1, 3]


def test_a_changed_rubric_leaves_scores_of_formgrader_unchanged(course, book):
    save(book, "ada", 0)
    grade_elsewhere(course, "ada", 3.25)
    _, rescored = book.change_rubric("why", with_points(book.rubric("why"), 0, 1), grader="kim")
    assert rescored == []
    assert grade_of(course, "ada")[0] == 3.25


def test_undo_restores_a_deleted_item_for_all_answers(course, book):
    save(book, "ada", 0, 1)
    rubric = book.rubric("why")
    less = replace(rubric, items=rubric.items[1:])
    book.change_rubric("why", less, grader="kim")
    assert grade_of(course, "ada")[0] == 1
    book.undo_rubric("why", grader="kim")
    assert grade_of(course, "ada")[0] == 3
    assert book.rubric("why").items == rubric.items


def test_a_save_with_an_old_rubric_is_answered_with_the_new_one(book):
    save(book, "ada", 0)
    old = book.rubric("why")
    new, _ = book.change_rubric("why", with_points(old, 0, 1), grader="kim")
    with pytest.raises(RubricChanged, match="kim changed the rubric") as caught:
        book.save(
            "why",
            {"ben": book.grading("why", "ben").version},
            Mark(frozenset([old.items[0].id]), done=True),
            grader="lee",
            rubric_revision=old.revision,
        )
    assert caught.value.rubric == new
    with pytest.raises(RubricChanged):
        book.change_rubric("why", with_points(old, 1, 3), grader="lee")


def test_a_changed_rubric_is_no_conflict_for_reading(book):
    seen = save(book, "ada", 0).version
    book.change_rubric("why", with_points(book.rubric("why"), 0, 1), grader="lee")
    assert book.grading("why", "ada").version == seen


def test_marks_for_an_answer_that_was_submitted_again_meanwhile_leave_it_in_the_queue(course, book):
    book.rubric("why")
    engine = sqlalchemy.create_engine(course.db_url)
    with engine.begin() as connection:
        remember(connection, ASSIGNMENT, "ada", {"why": "e" * 64})  # `save` saw another one
    saved = save(book, "ada", 0)
    assert (saved.score, saved.waits, saved.changed) == (2, True, True)
    with engine.begin() as connection:
        remember(connection, ASSIGNMENT, "ada", {"why": "d" * 64})
    saved = save(book, "ada", 0)
    assert (saved.waits, saved.changed) == (False, False)


def test_flagging_an_answer_that_waits_again_does_not_grade_it(course, book):
    save(book, "ada", 0)
    grade_again(course, "ada", "e" * 64)
    flagged = save(book, "ada", 0, flagged=True)
    assert (flagged.score, flagged.waits, flagged.changed) == (2, True, True)
    grade_again(course, "ada", "d" * 64)  # the one that `save` names
    confirmed = save(book, "ada", 0, flagged=True)
    assert (confirmed.waits, confirmed.changed) == (False, False)


def test_undo_reverts_the_latest_save_and_then_the_one_before(course, book):
    save(book, "ada", 0)
    save(book, "ada", 0, 1)
    save(book, "ben", 2)
    assert list(book.undo("why", grader="kim")) == ["ben"]
    assert grade_of(course, "ben") == (None, True)
    book.undo("why", grader="kim")
    assert grade_of(course, "ada") == (2, False)
    book.undo("why", grader="kim")
    assert grade_of(course, "ada") == (None, True)
    with pytest.raises(Refused, match="nothing here"):
        book.undo("why", grader="kim")


def test_undo_does_not_revert_a_later_save_of_another_grader(course, book):
    save(book, "ada", 0, grader="kim")
    save(book, "ada", 1, grader="lee")
    with pytest.raises(Conflict):
        book.undo("why", grader="kim")
    assert grade_of(course, "ada") == (1, False)


def test_undo_does_not_revert_a_later_confirmation_of_another_grader(course, book):
    save(book, "ada", 0, grader="kim")
    save(book, "ada", 1, grader="lee")
    save(book, "ada", 0, grader="lee")
    with pytest.raises(Conflict):
        book.undo("why", grader="kim")
    assert grade_of(course, "ada") == (2, False)
    book.undo("why", grader="lee")
    book.undo("why", grader="lee")
    book.undo("why", grader="kim")
    assert grade_of(course, "ada") == (None, True)


def test_undo_restores_the_score_of_formgrader(course, book):
    grade_elsewhere(course, "ada", 3, comment="By hand.")
    before = book.grading("why", "ada")
    save(book, "ada", 1)
    assert grade_of(course, "ada") == (1, False)
    undone = book.undo("why", grader="kim")["ada"]
    assert grade_of(course, "ada") == (3, False)
    assert comment_of(course, "ada") == "By hand."
    assert undone.overridden
    assert undone.version != before.version


def test_undo_puts_an_answer_that_waited_back_into_the_queue(course, book):
    save(book, "ada", 0)
    grade_again(course, "ada", "e" * 64)
    assert book.grading("why", "ada").changed
    save(book, "ada", 1, digest="e" * 64)
    undone = book.undo("why", grader="kim")["ada"]
    assert grade_of(course, "ada") == (2, True)
    assert (undone.changed, undone.waits) == (True, True)


def test_undo_leaves_an_answer_in_the_queue_if_tests_put_it_there(course, book):
    save(book, "ada", 0)
    save(book, "ada", 1)
    grade_again(course, "ada", "e" * 64)
    book.undo("why", grader="kim")
    assert grade_of(course, "ada") == (2, True)


def test_several_answers_get_the_same_items_in_addition_to_their_own(course, book):
    save(book, "ada", 0)
    rubric = book.rubric("why")
    versions = {name: book.grading("why", name).version for name in ("ada", "ben")}
    outcomes = book.add_items(
        "why", versions, [rubric.items[1].id], grader="kim", rubric_revision=rubric.revision
    )
    assert {name: one.score for name, one in outcomes.items()} == {"ada": 3, "ben": 1}
    book.undo("why", grader="kim")
    assert [grade_of(course, name)[0] for name in ("ada", "ben")] == [2, None]


def test_the_history_shows_who_changed_what_and_when(book):
    save(book, "ada", 0, grader="kim")
    book.change_rubric("why", with_points(book.rubric("why"), 0, 1), grader="lee")
    save(book, "ada", 1, grader="lee", adjustment=-0.5, comment="which $\\delta$?")
    events = book.history("why", "ada")
    assert events[0].what == "1 item; adjustment \N{MINUS SIGN}0.5; comment: which $\\delta$?"
    assert [(one.grader, one.action, one.score_before, one.score_after) for one in events] == [
        ("lee", "save", 1, 0.5),
        ("lee", "rescored", 2, 1),
        ("kim", "save", None, 2),
    ]
    (change,) = [one for one in book.history("why") if one.action == "rubric"]
    assert "+2 became +1 (scores changed: 1)" in change.what.replace("\n", " ")


def test_the_order_of_answers_depends_on_the_question_and_does_not_change(book, course):
    assert sorted(book.order("why")) == STUDENTS
    many = [f"s{number:02}" for number in range(12)]
    for name in many:
        add_student(course, name)
    order = book.order("why")
    assert order == GradeBook(course, ASSIGNMENT).order("why")
    assert order != book.order("plot")
    assert order != sorted(order)


def test_a_student_who_is_added_later_is_listed(book, course):
    book.rubric("why")
    add_student(course, "eve", first_name="Eve", last_name="Late")
    assert book.names()["eve"] == "Eve Late"
    assert save(book, "eve", 0).score == 2


def test_two_homeworks_may_have_questions_of_the_same_name(course, book):
    save(book, "ada", 0)
    with Gradebook(course.db_url) as gradebook:
        gradebook.add_assignment("ps2")
        gradebook.add_notebook("ps2", "ps2")
        gradebook.add_grade_cell("why", "ps2", "ps2", max_score=4, cell_type="markdown")
        gradebook.add_solution_cell("why", "ps2", "ps2")
        gradebook.add_submission("ps2", "ada")
    source = course.root / "source"
    (source / "ps2").mkdir()
    shutil.copy(source / "ps1/ps1.ipynb", source / "ps2/ps2.ipynb")
    other = GradeBook(course, "ps2")
    assert save(other, "ada", 1).score == 1
    rubric = other.rubric("why")
    other.change_rubric("why", with_points(rubric, 0, 0.5), grader="kim")
    assert book.rubric("why").items[0].points == 2
    other.close()


def test_no_score_is_above_the_questions_current_points(course, book):
    save(book, "ada", 0)
    set_points(course, 3)
    assert book.rubric("why").upper == 3
    assert save(book, "ben", 0, 1, 2).score == 3
    assert grade_of(course, "ada") == (2, False)
    rubric = book.rubric("why")
    book.change_rubric("why", with_points(rubric, 0, 1), grader="kim")
    assert grade_of(course, "ada") == (1, False)


def set_points(course, points):
    with Gradebook(course.db_url) as gradebook:
        gradebook.find_grade_cell("why", ASSIGNMENT, ASSIGNMENT).max_score = points
        gradebook.db.commit()


def test_if_a_question_gets_more_points_its_rubric_reaches_them(course, book):
    save(book, "ada", 0)
    book.change_rubric("why", with_points(book.rubric("why"), 0, 5), grader="kim")
    set_points(course, 6)
    assert book.rubric("why").upper == 6
    assert save(book, "ben", 0, 1, 2).score == 6


def test_a_bound_that_a_grader_chose_stays_if_the_question_gets_more_points(course, book):
    book.change_rubric("why", replace(book.rubric("why"), upper=2), grader="kim")
    set_points(course, 6)
    assert book.rubric("why").upper == 2


def test_an_exported_rubric_reaches_the_points_of_another_class(course, book, in_sqlite, tmp_path):
    document = book.exported()
    other = copied(in_sqlite, tmp_path / "other")
    set_points(other, 6)
    assert GradeBook(other, ASSIGNMENT).import_rubrics(document, grader="lee") == ["why", "plot"]
    assert GradeBook(other, ASSIGNMENT).rubric("why").upper == 6


@pytest.mark.parametrize(
    "mark",
    [
        Mark(adjustment=math.nan, done=True),
        Mark(adjustment=math.inf, done=True),
        Mark(frozenset(["no such item"]), done=True),
        Mark(comment="x" * 30_000),
        Mark(comment="\0"),
        Mark(flag_note="\ud800"),
    ],
)
def test_invalid_marks_are_refused_and_change_nothing(course, book, mark):
    save(book, "ada", 0)
    with pytest.raises(Refused):
        book.save(
            "why",
            {name: book.grading("why", name).version for name in ("ada", "ben")},
            mark,
            grader="kim",
            rubric_revision=book.rubric("why").revision,
        )
    assert grade_of(course, "ada") == (2, False)
    assert grade_of(course, "ben") == (None, True)


@pytest.mark.parametrize(
    "change",
    [
        {"upper": 5.0},
        {"lower": -1.0},
        {"lower": 3.0, "upper": 2.0},
        {"upper": math.nan},
        {"items": (Item("", math.nan, "x"),)},
        {"items": (Item("", 1, " "),)},
        {"items": (Item("", 1, "x"),) * 61},
        {"items": (Item("a", 1, "x"),) * 2},
    ],
)
def test_an_invalid_rubric_is_refused(book, change):
    with pytest.raises(Refused):
        book.change_rubric("why", replace(book.rubric("why"), **change), grader="kim")


@pytest.mark.parametrize("grader", ["", " ", "x" * 129, "a\nb"])
def test_a_grader_has_a_name(book, grader):
    rubric = book.rubric("why")
    with pytest.raises(Refused, match="name"):
        book.save("why", {}, Mark(), grader=grader, rubric_revision=rubric.revision)


def test_an_unknown_question_or_student_is_refused(book):
    with pytest.raises(Refused, match="no question 'nowhere'"):
        book.rubric("nowhere")
    with pytest.raises(Refused, match="no answer of 'nobody'"):
        book.grading("why", "nobody")


def test_a_question_is_shared_out_evenly(book):
    book.hand_out("why", ["kim", "lee"], grader="kim")
    shares = book.shares("why")
    assert sorted(shares["kim"] + shares["lee"]) == STUDENTS
    assert len(shares["kim"]) == len(shares["lee"]) == 2
    book.hand_out("why", [], grader="kim")
    assert book.shares("why") == {}
    with pytest.raises(Refused):
        book.hand_out("why", ["kim", "kim"], grader="kim")


def test_graders_see_each_other(book, monkeypatch):
    assert book.here("kim", "why", "ada") == {}
    assert book.here("lee", "why", "ada") == {"kim": "ada"}
    assert book.here("kim", "why", "ben") == {"lee": "ada"}
    assert book.who_is_where() == {"why": ["kim", "lee"]}
    monkeypatch.setattr("hw_grading.rubrics.teamwork.SECONDS_SEEN", -1.0)
    assert book.here("kim", "why", "ben") == {}


def test_groups_are_made_by_hand(book):
    book.group("why", ["ada", "ben"], "no picture", grader="kim")
    book.group("why", ["cyd"], "no words", grader="kim")
    assert book.groups("why") == {"no picture": ("ada", "ben"), "no words": ("cyd",)}
    book.group("why", ["ben"], "no words", grader="kim")
    book.group("why", ["ada"], "", grader="kim")
    assert book.groups("why") == {"no words": ("ben", "cyd")}
    with pytest.raises(Refused):
        book.group("why", ["nobody"], "x", grader="kim")


def test_rubrics_are_taken_to_another_class_without_students(book, in_sqlite, tmp_path):
    changed = with_points(book.rubric("why"), 0, 1.5)
    items = (*changed.items, Item("", -0.5, "no units", "see the lecture"))
    book.change_rubric("why", replace(changed, items=items), grader="kim")
    save(book, "ada", 0, comment="about Ada")
    document = book.exported()
    assert "Ada" not in str(document)
    other = GradeBook(copied(in_sqlite, tmp_path / "other"), ASSIGNMENT)
    assert other.import_rubrics(document, grader="lee") == ["why", "plot"]
    assert other.exported() == document
    save(other, "ben", 0)
    assert other.import_rubrics(document, grader="lee") == ["plot"]


TOO_LARGE = {"q": {"items": [], "kind": "adding", "lower": 0, "upper": 10**400}}


@pytest.mark.parametrize(
    "document",
    [
        *(None, [], {}, {"format": "x"}),
        *({"format": "hw_grading rubrics", "rubrics": rubrics} for rubrics in (3, TOO_LARGE)),
    ],
)
def test_a_file_without_rubrics_is_refused(book, document):
    with pytest.raises(Refused, match="has no rubrics"):
        book.import_rubrics(document, grader="kim")


def test_a_rubric_for_more_points_is_imported_within_the_questions_points(book):
    document = book.exported()
    document["rubrics"]["why"]["upper"] = 9.0
    assert book.import_rubrics(document, grader="kim") == ["why", "plot"]
    assert book.rubric("why").upper == 4


def test_a_file_with_one_invalid_rubric_changes_nothing(book):
    document = book.exported()
    document["rubrics"]["plot"]["items"][0]["text"] = " "
    with pytest.raises(Refused, match="needs a text"):
        book.import_rubrics(document, grader="kim")
    assert book.rubric("why").revision == 0
    assert book.history("why") == []


def test_many_graders_at_once_lose_nothing(course, book):
    book.rubric("why")
    failures: list[BaseException] = []

    def grade(name: str) -> None:
        own = GradeBook(course, ASSIGNMENT)
        try:
            for student in STUDENTS:
                done = False
                while not done:
                    rubric = own.rubric("why")
                    seen = own.grading("why", student)
                    mark = Mark(
                        frozenset([rubric.items[0].id]),
                        comment=f"{seen.mark.comment} {name}".strip(),
                        done=True,
                    )
                    outcome = own.save(
                        "why",
                        {student: seen.version},
                        mark,
                        grader=name,
                        rubric_revision=rubric.revision,
                    )[student]
                    done = isinstance(outcome, Grading)
        except BaseException as error:
            failures.append(error)
        finally:
            own.close()

    save(book, "ada", 0)
    threads = [threading.Thread(target=grade, args=(f"g{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for student in STUDENTS:
        words = book.grading("why", student).mark.comment.split()
        assert sorted(words) == ["g0", "g1", "g2", "g3"]


# -- databases that cannot be used


@pytest.fixture
def in_a_file(in_sqlite: Course, tmp_path: Path) -> GradeBook:
    return GradeBook(copied(in_sqlite, tmp_path / "course"), ASSIGNMENT)


def test_tables_of_the_desk_leave_nbgraders_version_unchanged(in_a_file):
    in_a_file.rubric("why")
    save(in_a_file, "ada", 0)
    with sqlite3.connect(in_a_file.course.root / "gradebook.db") as database:
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    assert {"desk_grading", "desk_event", "alembic_version"} <= names
    assert version


def test_without_the_desks_tables_no_score_is_lost(in_a_file):
    save(in_a_file, "ada", 0)
    engine = sqlalchemy.create_engine(in_a_file.course.db_url)
    database.METADATA.drop_all(engine)
    again = GradeBook(in_a_file.course, ASSIGNMENT)
    now = again.grading("why", "ada")
    assert (now.score, now.waits, now.overridden) == (2, False, True)


def test_a_locked_gradebook_is_reported(in_a_file, monkeypatch):
    monkeypatch.setattr(database, "SECONDS_TO_WAIT", 0.1)
    book = GradeBook(in_a_file.course, ASSIGNMENT)
    book.rubric("why")
    other = sqlite3.connect(in_a_file.course.root / "gradebook.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="it has been locked for"):
        save(book, "ada", 0)
    other.execute("ROLLBACK")
    assert save(book, "ada", 0).score == 2


def test_a_full_disk_loses_no_earlier_save(in_a_file):
    save(in_a_file, "ada", 0)
    with sqlite3.connect(in_a_file.course.root / "gradebook.db") as database:
        (pages,) = database.execute("PRAGMA page_count").fetchone()

    @sqlalchemy.event.listens_for(in_a_file._database._engine, "begin")
    def no_more_pages(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def write_much() -> None:
        for _ in range(200):
            save(in_a_file, "ben", 0, comment="x" * 19_000)

    with pytest.raises(Unavailable, match="its disk is full"):
        write_much()
    again = GradeBook(in_a_file.course, ASSIGNMENT)
    assert again.grading("why", "ada").score == 2


def test_a_save_goes_into_the_gradebook_that_replaced_another(in_a_file):
    file = in_a_file.course.root / "gradebook.db"
    backup = shutil.copy(file, file.with_suffix(".backup"))
    save(in_a_file, "ada", 0)
    file.unlink()
    with pytest.raises(Unavailable, match="There is no gradebook"):
        save(in_a_file, "ben", 1)
    assert not file.exists()
    os.replace(backup, file)
    assert save(in_a_file, "ben", 1).score == 1
    assert grade_of(in_a_file.course, "ada") == (None, True)
    assert grade_of(in_a_file.course, "ben") == (1, False)


def test_missing_tables_of_the_desk_are_made_again(course, book):
    save(book, "ada", 0)
    engine = sqlalchemy.create_engine(course.db_url)
    database.METADATA.drop_all(engine)
    engine.dispose()
    with pytest.raises(Unavailable):
        book.rubric("why")
    assert save(book, "ben", 0).score == 2


def test_a_missing_gradebook_is_not_made(in_a_file, tmp_path):
    nowhere = Course(tmp_path)
    with pytest.raises(Unavailable, match="nbgrader generate_assignment"):
        GradeBook(nowhere, ASSIGNMENT).names()
    assert not (tmp_path / "gradebook.db").exists()


def test_a_restored_gradebook_is_read_and_written(in_a_file):
    file = in_a_file.course.root / "gradebook.db"
    save(in_a_file, "ada", 0)
    backup = file.with_name("backup.db")
    shutil.copy(file, backup)
    save(in_a_file, "ada", 1)
    os.replace(backup, file)
    assert in_a_file.grading("why", "ada").score == 2
    assert save(in_a_file, "ben", 0).score == 2
    assert grade_of(in_a_file.course, "ben") == (2, False)
