"""Comments on any answer: who may save over what, what stays known, where a student reads them."""

import re
from contextlib import closing

import pytest
from feedback_pages import box, page_of, words
from graded_course import cell, course, notebook
from html_pages import HOSTILE_HTML, HOSTILE_MARKDOWN

from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.comments import CommentChanged, Said
from hw_grading.gradebook.model import Refused
from hw_grading.gradebook.runs import source_digest
from hw_grading.homework.course import Course
from hw_grading.lms.feedback_zip import older_pages

__all__ = ["course"]  # a fixture

CODE = "def double(x):\n    '''Twice,\n    really.'''\n    return 2 * x"
MORE = "print(double(1))"
ANSWER = f"{CODE}\n\n{MORE}"  # with a cell of the student's own that continues it


def say(book, text, line=0, grader="kim", seen=None, digest=None, student="ada"):
    """Save a comment on `double`; return when it was saved, None if there is none."""
    said = Said(line, text, seen, source_digest(ANSWER) if digest is None else digest)
    book.comment("double", student, said, grader)
    there = {comment.line: comment.at for comment in book.comments_on("double", student)}
    return there.get(line)


@pytest.fixture
def book(course):
    with closing(ManualGrading(Course(course.root), "hw2")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("saw", "stored", "theirs"),
    [  # what the second grader saw, what is there, and what the grader is shown instead of a save
        ("nothing", "first", "first"),
        ("the first", "changed", "changed"),
        ("the first", "removed", None),
        ("the first", "first", "saved"),
        ("the change", "changed", "saved"),
        ("nothing", "removed", "saved"),
    ],
)
def test_a_save_over_what_the_grader_has_not_seen_is_refused(book, saw, stored, theirs):
    at = {"nothing": None, "the first": say(book, "first", line=2)}
    if stored != "first":
        text = "" if stored == "removed" else stored
        at["the change"] = say(book, text, line=2, grader="lee", seen=at["the first"])
    if theirs == "saved":
        say(book, " mine ", line=2, grader="max", seen=at[saw])
        [now] = book.comments_on("double")
        assert (now.text, now.line, now.grader) == ("mine", 2, "max")
    else:
        with pytest.raises(CommentChanged) as refused:
            say(book, "mine", line=2, grader="max", seen=at[saw])
        shown = refused.value.theirs
        assert (shown and shown.text) == theirs
        now = [comment.text for comment in book.comments_on("double")]
        assert now == ([theirs] if theirs else [])


def test_who_did_what_stays_known_and_texts_of_others_are_left_alone(book):
    say(book, "on ada's")
    first = say(book, "one", line=3)
    second = say(book, "two", line=3, grader="lee", seen=first)
    say(book, "two", line=3, grader="max", seen=second)  # it says nothing new
    say(book, "", line=3, grader="max", seen=second)
    say(book, "on bob's", line=3, student="bob")
    events = [(one.grader, one.action, one.what) for one in book.history_of_any("double", "ada")]
    assert events == [
        ("max", "comment removed", ""),
        ("lee", "comment", "comment on line 3: two"),
        ("kim", "comment", "comment on line 3: one"),
        ("kim", "comment", "comment: on ada's"),
    ]
    assert [comment.text for comment in book.comments_on("double")] == ["on ada's", "on bob's"]


@pytest.mark.parametrize("text", ["x" * 20_001, "a\0b", "\ud800"])
def test_a_text_that_no_database_stores_is_refused(book, text):
    with pytest.raises(Refused):
        say(book, text)
    assert book.comments_on("double") == []


def graded(course, *students):
    content = notebook()
    content["cells"][1]["source"] = CODE
    own = cell("code", MORE)
    own["metadata"]["hw_grading"] = {"continues": "double"}
    content["cells"].insert(2, own)
    for student in students:
        course.grade(student, content)


OLD = "0" * 16  # the digest of an earlier answer


@pytest.mark.parametrize(
    ("line", "digest", "before", "about"),
    [  # what stands before the comment, and what it is said to be about
        (0, None, "return 2 * x", "Your grader"),
        (2, None, "'''Twice,", "Your grader, on line 2"),
        (4, None, "return 2 * x", "Your grader, on line 4"),
        (6, None, MORE, "Your grader, on line 6"),
        (7, None, "return 2 * x", "Your grader, on line 7"),  # there is no such line
        (2, OLD, "return 2 * x", "Your grader, on line 2, an earlier version of your answer"),
        (0, OLD, "return 2 * x", "Your grader, on an earlier version of your answer"),
    ],
)
def test_a_comment_stands_at_its_line_or_below_the_answer(
    course, book, line, digest, before, about
):
    graded(course, "ada", "bob")
    page_of(course)
    assert older_pages(book.course, "hw2") == []
    say(book, "Say why.", line, digest=digest)
    assert older_pages(book.course, "hw2") == ["ada"]
    page = page_of(course)
    said = f"{before}{about}Say why.".replace(" ", "")
    assert words(page).replace(" ", "").count(said) == 1
    assert "1.1a Double 3 of 3 1 comment by your grader, at your answer" in box(page)
    for piece in re.findall(r'<pre class="code">(.*?)</pre>', page, re.DOTALL):
        assert piece.count("<span") == piece.count("</span>")
    assert older_pages(book.course, "hw2") == []


def test_an_attack_in_a_comment_is_text(course, book):
    graded(course, "ada")
    attacks = [*HOSTILE_HTML.values(), *HOSTILE_MARKDOWN.values()]
    plain = page_of(course)
    for line, text in enumerate(attacks):
        say(book, text, line % 7 if line < 7 else line)
    page = page_of(course)
    assert page.count('class="remark"') == len(attacks)
    for tag in ("<script", "<img", "<iframe", "<svg", "<form", "<style", "<a href", "<input"):
        more = 2 if tag == "<a href" else 0  # the links of the box
        assert page.count(tag) - plain.count(tag) <= more, tag
