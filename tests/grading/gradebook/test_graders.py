"""Several graders: shares, second marks, decisions, and marks that are put back."""

import random

import pytest
from by_hand import ASSIGNMENT, Term, grade_of, make_course

from hw_grading.analysis.graders import differences, habits, on_the_same
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Conflict, Grading, Mark, Refused
from hw_grading.gradebook.shares import Share, owners

HEAD = 'c.Graders.heads = ["hana"]\nc.Graders.second_percent = 100\n'
PAGE = "0" * 32


@pytest.fixture
def term(tmp_path):
    make_course(tmp_path / "course", *(f"s{n}" for n in range(6)))
    return Term(tmp_path / "course", HEAD)


@pytest.fixture
def book(term):
    book = ManualGrading(term.course, ASSIGNMENT)
    yield book
    book.close()


def items_of(book, *places):
    return frozenset(book.rubric("why").items[place].id for place in places)


def give(book, student, grader, *places, second=False, version=""):
    """Give items of the rubric, by their places, as first or second mark."""
    offered = book.second_gradings("why", grader) if second else book.gradings("why")
    save = book.save_second if second else book.save
    about = {"grader": grader, "rubric_revision": book.rubric("why").revision, "digests": {}}
    versions = {student: version or offered[student].version}
    return save("why", versions, Mark(items_of(book, *places), done=True), **about)[student]


SHARES = {
    "equal parts follow the order": (
        [Share("kim"), Share("lee")],
        {"s0": "kim", "s1": "kim", "s2": "lee", "s3": "lee"},
    ),
    "a section counts before the class": (
        [Share("kim"), Share("lee", "B")],
        {"s0": "kim", "s1": "lee", "s2": "kim", "s3": "lee"},
    ),
    "a section without a share is everybody's": ([Share("lee", "B")], {"s1": "lee", "s3": "lee"}),
    "no shares": ([], {}),
}


@pytest.mark.parametrize(("shares", "expected"), SHARES.values(), ids=SHARES)
def test_shares_say_whose_answers_are_whose(shares, expected):
    sections = {"s0": "A", "s1": "B", "s2": "A", "s3": "B"}
    assert owners(shares, ["s0", "s1", "s2", "s3"], lambda: sections) == expected


def test_next_keeps_to_the_share_and_offers_to_help(book):
    book.share_out("why", [Share("kim"), Share("lee")], grader="hana")
    opened = set()
    while (there := book.open("why", grader="kim", page=PAGE)).student:
        opened.add(there.student)
        give(book, there.student, "kim", 0)
    assert len(opened) == 3
    assert there.elsewhere == 3
    helped = book.open("why", grader="kim", page=PAGE, helping=True).student
    assert helped in {f"s{n}" for n in range(6)} - opened


def test_only_a_head_grader_shares_out_decides_and_puts_back(book):
    give(book, "s0", "kim", 0)
    for refused in (
        lambda: book.share_out("why", [Share("kim")], grader="kim"),
        lambda: book.redo("why", "kim", grader="lee"),
        lambda: book.decide("why", "s0", "1", "kim", grader="kim"),
    ):
        with pytest.raises(Refused, match="Only a head grader does this: hana"):
            refused()


def test_a_second_mark_shows_nothing_of_the_first_and_changes_nothing_that_counts(book, term):
    give(book, "s0", "kim", 0, 1)
    before = grade_of(term.course, "s0")
    offered = book.second_gradings("why", "lee")
    assert offered.keys() == {"s0"}
    assert (offered["s0"].mark, offered["s0"].score, offered["s0"].grader) == (Mark(), None, "")
    saved = give(book, "s0", "lee", 2, second=True)
    assert isinstance(saved, Grading)
    assert grade_of(term.course, "s0") == before
    assert book.grading("why", "s0").grader == "kim"
    assert not book.second_gradings("why", "kim")  # nobody marks their own answer twice
    assert not book.second_gradings("why", "max")  # there are two marks already


def test_a_stale_second_mark_is_a_conflict(book):
    give(book, "s0", "kim", 0)
    give(book, "s0", "lee", 1, second=True)
    assert isinstance(give(book, "s0", "lee", 2, second=True, version="0"), Conflict)


def test_a_head_grader_takes_one_of_two_marks_and_the_history_says_so(book, term):
    give(book, "s0", "kim", 0)
    give(book, "s0", "lee", 0, 1, second=True)
    book.decide("why", "s0", book.grading("why", "s0").version, "lee", grader="hana")
    assert grade_of(term.course, "s0") == (3.0, False)
    assert [pair.taken for pair in book.marked("why")[1]] == ["lee"]
    newest = book.history("why", "s0")[0]
    assert (newest.grader, newest.action) == ("hana", "decided")
    assert newest.what.startswith("lee's mark")
    with pytest.raises(Refused, match="has taken one of the two"):
        give(book, "s0", "lee", 2, second=True, version="1")
    assert "s0" not in book.second_gradings("why", "lee")


def test_marks_that_are_put_back_return_by_undo_which_names_who_undid(book, term):
    for student, grader in (("s0", "kim"), ("s1", "kim"), ("s2", "lee")):
        give(book, student, grader, 0)
    assert book.redo("why", "kim", grader="hana").keys() == {"s0", "s1"}
    waits = [grade_of(term.course, one)[1] for one in ("s0", "s1", "s2")]
    assert waits == [True, True, False]
    give(book, "s1", "lee", 1)  # given again: undo leaves it
    book.undo("why", grader="hana")
    assert grade_of(term.course, "s0") == (2.0, False)
    assert book.grading("why", "s1").grader == "lee"
    said = [event.what for event in book.history("why", "s0") if event.action == "redo"]
    assert any("undone by hana" in what for what in said)


def test_the_item_is_found_that_two_graders_give_unlike(tmp_path):
    """A class of 100: lee gives the second item half as often, all else alike."""
    draw = random.Random(1)
    students = [f"s{n:03}" for n in range(100)]
    term = Term(tmp_path / "course", HEAD).homework(due=None)
    for student in students:
        term.hand_in(student, points=None)
    book = ManualGrading(term.course, ASSIGNMENT)
    for number, student in enumerate(students):
        grader = ("kim", "lee")[number % 2]
        likely = (0.8, 0.9 if grader == "kim" else 0.4, 0.7)
        places = [place for place, share in enumerate(likely) if draw.random() < share]
        give(book, student, grader, *places)
    for student in [one for one in students[:20] if one in book.second_gradings("why", "lee")]:
        give(book, student, "lee", 0, second=True)
    firsts, pairs = book.marked("why")
    found = habits(firsts.values())
    assert [(one.grader, one.answers) for one in found] == [("kim", 50), ("lee", 50)]
    [item] = {
        difference.item
        for difference in differences(found, [i.id for i in book.rubric("why").items])
    }
    assert item == book.rubric("why").items[1].id
    [same] = on_the_same(pairs)
    assert [one.answers for one in same] == [10, 10]
    book.close()
