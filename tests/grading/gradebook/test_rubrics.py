"""Grading by hand: saving, conflicts, rescoring, undo, and databases that cannot be used."""

import json
import math
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from by_hand import (
    ASSIGNMENT,
    PLOT,
    Term,
    add_student,
    grade_elsewhere,
    grade_of,
    make_course,
)
from nbgrader.api import Gradebook
from sqlalchemy import text as sql

from hw_grading.gradebook import marks
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.database import Unavailable
from hw_grading.gradebook.model import (
    Conflict,
    Grading,
    Item,
    Mark,
    Refused,
    Rubric,
    RubricChanged,
    first_conditions,
    first_rubric,
)
from hw_grading.gradebook.runs import remember
from hw_grading.gradebook.scores import ScoredCell
from hw_grading.homework.course import Course
from hw_grading.homework.notebook import Place, Places

STUDENTS = ["ada", "ben", "cyd", "dan"]
SEEN = "d"  # the digest of the answer that graders see, unless a test says otherwise


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return make_course(tmp_path / "course", *STUDENTS)


@pytest.fixture
def book(course: Course) -> Iterator[ManualGrading]:
    book = ManualGrading(course, ASSIGNMENT)
    yield book
    book.close()


def save(book: ManualGrading, student: str, *numbers: int, digest: str = SEEN, **more) -> Grading:
    """Save these items of the rubric, by number, and return what is saved."""
    rubric = book.rubric("why")
    about = {"grader": more.pop("grader", "kim"), "rubric_revision": rubric.revision}
    mark = Mark(
        frozenset(rubric.items[number].id for number in numbers), done=bool(numbers), **more
    )
    seen = {student: book.grading("why", student).version}
    digests = {student: digest * 64}
    saved = book.save("why", seen, mark, digests=digests, **about)[student]
    assert isinstance(saved, Grading)
    return saved


def with_points(rubric: Rubric, number: int, points: float) -> Rubric:
    items = list(rubric.items)
    items[number] = replace(items[number], points=points)
    return replace(rubric, items=tuple(items))


def comment_of(course: Course, student: str) -> str | None:
    """Return the comment that the student gets."""
    with Gradebook(course.db_url) as gradebook:
        return gradebook.find_comment("why", ASSIGNMENT, ASSIGNMENT, student).comment


def grade_again(course: Course, student: str, digest: str) -> None:
    """Leave the gradebook as tests do that grade another answer of this digest."""
    with Gradebook(course.db_url) as gradebook:
        grade = gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, student)
        grade.needs_manual_grade = True
        gradebook.db.flush()
        remember(gradebook.db.connection(), ASSIGNMENT, student, {"why": digest})
        gradebook.db.commit()


def set_points(course: Course, points: float) -> None:
    with Gradebook(course.db_url) as gradebook:
        gradebook.find_grade_cell("why", ASSIGNMENT, ASSIGNMENT).max_score = points
        gradebook.db.commit()


# -- questions and rubrics


def test_the_first_rubric_is_the_scheme_and_an_item_for_nothing(book):
    rubric = book.rubric("why")
    assert [(item.points, item.text) for item in rubric.items] == [
        (2, "names the definition, with both quantifiers."),
        (1, "chooses a $\\delta$."),
        (1, "concludes."),
        (0, "No answer, or none of the above."),
    ]
    assert book.rubric("why") == rubric
    assert [item.points for item in book.rubric("plot").items] == [6, 0]


def test_a_question_has_a_title_and_a_text_without_scheme(book, course):
    why, plot = book.questions()
    assert (why.title, why.max_points, why.is_code) == ("Q1 a. Why", 4, False)
    assert "Why is $x^2$ continuous?" in why.text
    assert "quantifiers" not in why.text
    assert "quantifiers" in why.scheme
    assert (plot.title, plot.is_code, plot.scheme) == ("Q1 b. The plot", True, "")
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    document = json.loads(path.read_text())
    document["cells"] = [cell for cell in document["cells"] if PLOT not in "".join(cell["source"])]
    path.write_text(json.dumps(document))
    titles = [question.title for question in book.questions()]
    assert titles == ["Q1 a. Why: text", "Q1 a. Why: code"]  # two parts of one question


def test_conditions_at_the_end_of_a_line_are_no_text_of_its_item():
    scheme = """- 1: both curves. [facts: curves=2, of=a,b]
- 1: title,
  labels. [facts: title,
  labels]
- 1: [facts: alone] are not at the end."""
    cell = ScoredCell("plot", 3.0, by_hand=True)
    about = cell, [cell], Places(plot=Place("Q1", "Plot", scheme))
    items = first_rubric(*about).items
    texts = ["both curves.", "title, labels.", "[facts: alone] are not at the end."]
    assert [item.text for item in items[:3]] == texts
    plain = Places(plot=Place("Q1", "Plot", re.sub(r" \[facts: [^a][^]]*]", "", scheme)))
    assert first_rubric(cell, [cell], plain).items == items  # also their ids
    asked = {items[0].id: "curves=2, of=a,b", items[1].id: "title, labels"}
    assert first_conditions(*about) == asked


@pytest.mark.parametrize(
    ("points", "adjustment", "expected"),
    [([3, 3], 0, 4), ([-3, 1], 0, 0), ([1, 1], -0.5, 1.5), ([4, -1], 0, 3), ([1, 0], 9, 4)],
)
def test_a_score_is_a_sum_from_zero_to_the_questions_points(points, adjustment, expected):
    items = tuple(Item(str(number), value, "x") for number, value in enumerate(points))
    assert Rubric(items).score(Mark(frozenset("01"), adjustment), 4) == expected


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [("a", "+2  both"), ("b", "0 of 2  both\n+1  one"), ("bc", "0 of 2  both\n+1  one\n−1  late")],
)
def test_a_comment_lists_items_not_earned_if_points_are_missing(chosen, expected):
    points = {"both": 2, "one": 1, "late": -1, "none of these": 0}
    items = [
        Item(name, value, text) for name, (text, value) in zip("abcd", points.items(), strict=True)
    ]
    assert Rubric(tuple(items)).comment(Mark(frozenset(chosen)), 2) == expected


# -- saving


@pytest.mark.smoke
def test_a_save_is_in_the_gradebook_with_what_the_student_reads(course, book):
    rubric = book.rubric("why")
    items = (replace(rubric.items[0], note="for graders only"), *rubric.items[1:])
    book.change_rubric("why", replace(rubric, items=items), grader="kim")
    private = {"flagged": True, "flag_note": "for graders only"}
    comment = "Nearly: *which* $\\delta$?"
    saved = save(book, "ada", 0, 2, comment=comment, adjustment=0.5, **private)
    assert saved.mark.flagged
    assert (saved.score, saved.waits, saved.overridden, saved.grader) == (3.5, False, False, "kim")
    assert grade_of(course, "ada") == (3.5, False)
    assert comment_of(course, "ada") == (
        "+2  names the definition, with both quantifiers.\n0 of 1  chooses a $\\delta$.\n"
        "+1  concludes.\n+0.5  adjustment\n\n"
        "Nearly: *which* $\\delta$?"
    )
    assert grade_of(course, "ben") == (None, True)
    assert book.grading("why", "ada") == book.gradings("why")["ada"] == saved


def test_the_second_of_two_saves_is_refused_and_shows_the_first(course, book):
    seen, rubric = book.grading("why", "ada").version, book.rubric("why")
    first = save(book, "ada", 0, comment="mine")
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
    assert [grade_of(course, name) for name in ("ada", "ben")] == [(2, False), (1, False)]


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_score_of_formgrader_is_not_overwritten_silently(course, book, when):
    seen = save(book, "ada", 0).version
    rubric = book.rubric("why")
    mark = Mark(frozenset([rubric.items[1].id]), done=True)
    outcomes: list[Grading | Conflict] = []

    def grade() -> None:
        about = {"grader": "kim", "rubric_revision": rubric.revision}
        outcomes.append(book.save("why", {"ada": seen}, mark, **about)["ada"])

    thread = threading.Thread(target=grade)
    with Gradebook(course.db_url) as gradebook:
        gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "ada").manual_score = 3
        gradebook.db.flush()
        if when == "during":
            thread.start()
            thread.join(0.5)
        gradebook.db.commit()
    if when == "before":
        thread.start()
    thread.join()
    assert isinstance(outcomes[0], Conflict)
    now = book.grading("why", "ada")
    assert (now.score, now.overridden) == (3, True)
    assert save(book, "ada", 1).score == 1  # the grader has seen it
    assert not book.grading("why", "ada").overridden


# Each story is about one answer: graders save items by number, and have seen the answer of a digest
# ("d", or the letter that is given); "formgrader" gives points; "again" autogrades another answer;
# "points" changes those of an item; "undo" and "back" take back a grader's save and rubric.
STORIES = {
    "a mark without items waits": ("kim 0; kim", (None, True)),
    "undo takes back the latest save": ("kim 0; kim 0 1; undo kim", (2, False)),
    "and then the one before": ("kim 0; kim 0 1; undo kim; undo kim", (None, True)),
    "undo after another's was undone": ("kim 0; lee 1; undo lee; undo kim", (None, True)),
    "undo brings formgrader's score back": ("formgrader 3; kim 1; undo kim", (3, False)),
    "undo puts it back into the queue": ("kim 0; again e; kim 1 e; undo kim", (2, True)),
    "undo leaves it in the queue of tests": ("kim 0; kim 1; again e; undo kim", (2, True)),
    "another answer was graded meanwhile": ("again e; kim 0", (2, True)),
    "the new answer was graded": ("kim 0; again e; kim 0 e", (2, False)),
    "a flag grades no changed answer": ("kim 0; again e; flag 0 e", (2, True)),
    "and a save with the flag does": ("kim 0; again e; flag 0 e; flag 0 e", (2, False)),
    "changed points count": ("kim 0 1; points 0 1.5", (2.5, False)),
    "and are taken back": ("kim 0 1; points 0 1.5; back kim", (3, False)),
    "but not in formgrader's score": ("kim 0; formgrader 3.25; points 0 1", (3.25, False)),
}
REFUSED = {
    "undo of nothing": ("kim 0; undo kim; undo kim", "nothing here", (None, True)),
    "undo after another's save": ("kim 0; lee 1; undo kim", "by lee", (1, False)),
    "undo after a confirmation": ("kim 0; lee 1; lee 0; undo kim", "by lee", (2, False)),
    "undo after formgrader": ("kim 0; formgrader 3; undo kim", "in formgrader", (3, False)),
    "undo of another's rubric": ("kim 0; points 0 1; back lee", "nothing to undo", (1, False)),
}


def play(course: Course, book: ManualGrading, story: str) -> None:
    book.rubric("why")  # makes the desk's tables
    for step in story.split("; "):
        who, *words = step.split()
        numbers = [int(word) for word in words if word.isdigit()]
        digest = next((word for word in words if len(word) == 1 and word.isalpha()), SEEN)
        match who:
            case "formgrader":
                grade_elsewhere(course, "ada", float(words[0]), comment="By hand.")
            case "again":
                grade_again(course, "ada", digest * 64)
            case "points":
                changed = with_points(book.rubric("why"), numbers[0], float(words[1]))
                book.change_rubric("why", changed, grader="kim")
            case "undo":
                book.undo("why", grader=words[0])
            case "back":
                book.undo_rubric("why", grader=words[0])
            case "flag":
                save(book, "ada", *numbers, digest=digest, flagged=True)
            case _:
                save(book, "ada", *numbers, digest=digest, grader=who)


@pytest.mark.parametrize(("story", "end"), STORIES.values(), ids=STORIES)
def test_a_story_of_one_answer_ends_as_it_should(course, book, story, end):
    play(course, book, story)
    assert grade_of(course, "ada") == end
    now = book.grading("why", "ada")
    assert (now.score, now.waits) == end
    assert now.overridden == (story.startswith("formgrader") or "formgrader 3.25" in story)
    if now.overridden:
        assert comment_of(course, "ada") == "By hand."


@pytest.mark.parametrize(("story", "why", "end"), REFUSED.values(), ids=REFUSED)
def test_what_others_have_done_since_is_not_taken_back(course, book, story, why, end):
    with pytest.raises(Refused, match=why):
        play(course, book, story)
    assert grade_of(course, "ada") == end


def test_a_text_typed_with_pauses_is_one_line_and_one_undo(book):
    save(book, "ada", 0)
    for text in ("Mind", "Mind the", "Mind the sign."):
        save(book, "ada", 0, comment=text)
    save(book, "ada", 0, comment="Mind the sign.", flagged=True)
    for why in ("cop", "copied?"):
        save(book, "ada", 0, comment="Mind the sign.", flagged=True, flag_note=why)
    save(book, "ada", 0, 1, comment="Mind the sign.", flagged=True, flag_note="copied?")
    said = [(one.score_before, one.score_after, one.what) for one in book.history("why", "ada")]
    assert said == [
        (2, 3, "2 items; comment: Mind the sign.; flagged: copied?"),
        (2, 2, "1 item; comment: Mind the sign.; flagged: copied?"),
        (2, 2, "1 item; comment: Mind the sign.; flagged"),
        (2, 2, "1 item; comment: Mind the sign."),
        (None, 2, "1 item"),
    ]
    for _ in range(3):
        book.undo("why", grader="kim")
    assert book.grading("why", "ada").mark.comment == "Mind the sign."
    assert book.undo("why", grader="kim")["ada"].mark.comment == ""
    assert book.grading("why", "ada").score == 2


def test_the_text_of_another_grader_or_hour_is_another_line(book, monkeypatch):
    save(book, "ada", comment="Mind")
    save(book, "ada", comment="Mind the", grader="lee")
    save(book, "ada", comment="Mind the sign", grader="lee")
    monkeypatch.setattr(marks, "_LONGEST_PAUSE", timedelta(0))
    save(book, "ada", comment="Mind the sign.", grader="lee")
    said = [(one.grader, one.what) for one in book.history("why", "ada")]
    assert said == [
        ("lee", "comment: Mind the sign."),
        ("lee", "comment: Mind the sign"),
        ("kim", "comment: Mind"),
    ]


def test_the_history_shows_who_changed_what_and_when(book):
    save(book, "ada", 0)
    book.change_rubric("why", with_points(book.rubric("why"), 0, 1), grader="lee")
    save(book, "ada", 1, grader="lee", adjustment=-0.5, comment="which $\\delta$?")
    events = book.history("why", "ada")
    assert events[0].what == "1 item; adjustment \N{MINUS SIGN}0.5; comment: which $\\delta$?"
    assert [
        (event.grader, event.action, event.score_before, event.score_after) for event in events
    ] == [
        ("lee", "save", 1, 0.5),
        ("lee", "rescored", 2, 1),
        ("kim", "save", None, 2),
    ]
    assert [one.student for one in book.history("why") if one.action == "rubric"] == [""]


# -- changed rubrics


def test_changed_points_and_deleted_items_rescore_answers_and_are_undone(course, book):
    for student, numbers in (("ada", [0]), ("ben", [0, 1]), ("cyd", [1])):
        save(book, student, *numbers)
    grade_elsewhere(course, "dan", 3)
    changed = with_points(book.rubric("why"), 0, 1.5)
    preview = book.preview("why", changed)
    moved = {(one.student, one.before, one.after) for one in preview}
    assert moved == {("ada", 2, 1.5), ("ben", 3, 2.5)}
    assert grade_of(course, "ada") == (2, False)
    _, rescored = book.change_rubric("why", changed, grader="kim")
    assert rescored == preview
    assert [grade_of(course, student)[0] for student in STUDENTS] == [1.5, 2.5, 1, 3]
    assert comment_of(course, "ada").startswith("+1.5  names")
    rubric = book.rubric("why")
    book.change_rubric("why", replace(rubric, items=rubric.items[1:]), grader="kim")
    assert [grade_of(course, student)[0] for student in STUDENTS] == [0, 1, 1, 3]
    book.undo_rubric("why", grader="kim")
    assert [grade_of(course, student)[0] for student in STUDENTS] == [1.5, 2.5, 1, 3]
    assert book.rubric("why").items == rubric.items


def test_a_save_with_an_old_rubric_is_answered_with_the_new_one(book):
    seen = save(book, "ada", 0).version
    old = book.rubric("why")
    new, _ = book.change_rubric("why", with_points(old, 0, 1), grader="kim")
    assert book.grading("why", "ada").version == seen  # so it is no conflict of marks
    with pytest.raises(RubricChanged, match="kim changed the rubric") as caught:
        book.save("why", {"ada": seen}, Mark(), grader="lee", rubric_revision=old.revision)
    assert caught.value.rubric == new
    with pytest.raises(RubricChanged):
        book.change_rubric("why", with_points(old, 1, 3), grader="lee")


def test_scores_follow_the_points_that_the_question_has_now(course, book):
    save(book, "ada", 0)
    set_points(course, 3)
    assert save(book, "ben", 0, 1, 2).score == 3
    book.change_rubric("why", with_points(book.rubric("why"), 0, 5), grader="kim")
    assert grade_of(course, "ada") == (3, False)
    set_points(course, 6)
    assert save(book, "cyd", 0, 1, 2).score == 6


# -- what is refused


def test_invalid_marks_names_and_rubrics_are_refused_and_change_nothing(course, book):
    save(book, "ada", 0)
    versions = {name: book.grading("why", name).version for name in ("ada", "ben")}
    rubric = book.rubric("why")
    marks = [Mark(frozenset(["no such item"]), done=True), Mark(adjustment=math.nan, done=True)]
    marks += [Mark(comment=text) for text in ("x" * 30_000, "\0", "\ud800")]
    tries = [(mark, "kim") for mark in marks] + [
        (Mark(done=True), who) for who in (" ", "a\u202eb")
    ]
    for mark, grader in tries:
        with pytest.raises(Refused):
            book.save("why", versions, mark, grader=grader, rubric_revision=rubric.revision)
    item = Item("a", 1, "x")
    rubrics = [(replace(item, points=math.nan),), (replace(item, text=" "),), (item,) * 2]
    for items in [*rubrics, (replace(item, id=""),) * 61]:
        with pytest.raises(Refused):
            book.change_rubric("why", replace(rubric, items=items), grader="kim")
    assert [grade_of(course, name) for name in ("ada", "ben")] == [(2, False), (None, True)]
    assert book.rubric("why") == rubric


# -- a class


def test_the_order_of_answers_depends_on_the_question_alone(book, course):
    for name in [f"s{number:02}" for number in range(12)]:
        add_student(course, name)
    add_student(course, "eve", first_name="Eve", last_name="Late")
    assert book.names()["eve"] == "Eve Late"
    names = book.names()
    order = book.order("why", names)
    assert order == ManualGrading(course, ASSIGNMENT).order("why", names)
    assert order != book.order("plot", names)
    assert order != sorted(order)
    assert save(book, "eve", 0).score == 2


def test_two_homeworks_may_have_questions_of_the_same_name(course, book):
    save(book, "ada", 0)
    Term(course.folder).homework("ps2").hand_in("ada", points=None, name="ps2")
    other = ManualGrading(course, "ps2")
    assert save(other, "ada", 1).score == 1
    other.change_rubric("why", with_points(other.rubric("why"), 0, 0.5), grader="kim")
    assert book.rubric("why").items[0].points == 2
    other.close()


# -- databases: of other versions, replaced, and unusable


def test_a_gradebook_of_an_earlier_version_keeps_marks_and_digests(course, book):
    save(book, "ada", 0)
    grade_again(course, "ben", "e" * 64)
    book.close()
    with Gradebook(course.db_url) as gradebook:  # one table had both
        for command in (
            "ALTER TABLE hw_grading_mark ADD COLUMN answer VARCHAR(64) NOT NULL DEFAULT ''",
            f"UPDATE hw_grading_mark SET answer = '{'e' * 64}'",
            "DROP TABLE hw_grading_answer",
        ):
            gradebook.db.execute(sql(command))
        gradebook.db.commit()
    later = ManualGrading(course, ASSIGNMENT)
    assert later.grading("why", "ada").changed
    assert save(later, "ada", 1, digest="e").score == 1
    assert not later.grading("why", "ada").changed
    later.close()


def test_a_save_goes_into_the_gradebook_that_replaced_another(book):
    file = book.course.root / "gradebook.db"
    backup = shutil.copy(file, file.with_suffix(".backup"))
    save(book, "ada", 0)
    file.unlink()
    with pytest.raises(Unavailable, match="There is no gradebook"):
        save(book, "ben", 1)
    assert not file.exists()
    os.replace(backup, file)
    assert save(book, "ben", 1).score == 1
    assert grade_of(book.course, "ada") == (None, True)
    assert grade_of(book.course, "ben") == (1, False)
