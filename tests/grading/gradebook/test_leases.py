"""Graders at once: where each goes on, who has an answer open, and how often work is done twice."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from by_hand import ASSIGNMENT, Term, make_course
from postgresql import Server

from benchmarks.graders import simulated
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.leases import SECONDS, next_free
from hw_grading.gradebook.model import Mark, Refused
from hw_grading.homework.course import Course

CLASS = [f"s{number:02}" for number in range(24)]
KIM, LEE, MAX = (hashlib.md5(name.encode()).hexdigest() for name in ("kim", "lee", "max"))


@pytest.mark.parametrize(
    ("free", "here", "expected"),
    [
        ("abcdefgh", "", "e"),  # the middle of the only stretch
        ("abcdefgh", "b", "c"),  # one after another
        ("abc-efgh", "c", "g"),  # at the end of a stretch: the middle of the longest one
        ("ab--efgh", "c", "g"),
        ("a-c-e-g-", "h", "a"),  # the first of several that are as long
        ("-------h", "d", "h"),
        ("--------", "d", None),
        ("abcdefgh", "gone", "e"),
    ],
)
def test_a_grader_goes_on_in_a_stretch_or_in_the_longest(free, here, expected):
    assert next_free([*"abcdefgh"], set(free) - {"-"}, here) == expected


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return make_course(tmp_path / "course", *CLASS)


@pytest.fixture
def clock() -> Mock:
    """A clock that stands still until it is moved."""
    return Mock(return_value=datetime(2026, 1, 1))


@pytest.fixture
def book(course: Course, clock: Mock) -> Iterator[ManualGrading]:
    book = ManualGrading(course, ASSIGNMENT, clock)
    yield book
    book.close()


def grade(book: ManualGrading, student: str, grader: str = "Kim", cell: str = "why") -> None:
    """Grade an answer, as the page does after it has looked."""
    rubric, seen = book.rubric(cell), book.grading(cell, student).version
    about = {"grader": grader, "rubric_revision": rubric.revision}
    book.save(cell, {student: seen}, Mark(frozenset([rubric.items[0].id]), done=True), **about)


def test_an_open_answer_is_passed_over_and_says_who_has_it(book):
    order = book.order("why", CLASS)
    kim = book.open("why", KIM, "Kim")
    assert (kim.student, kim.others, kim.then) == (order[12], (), order[13])
    lee = book.open("why", LEE, "Lee")
    assert (lee.student, lee.others) == (order[6], ())  # 12 before Kim, 11 behind
    assert book.open("why", LEE, "Lee", student=order[12]).others == ("Kim",)
    assert book.open("why", KIM, "Kim", student=order[12]).others == ("Lee",)
    assert book.graders() == {"why": ["Kim", "Lee"]}
    assert book.open("plot", MAX, "Max", student=order[12]).others == ()  # of another question
    assert book.graders() == {"why": ["Kim", "Lee"], "plot": ["Max"]}
    own = hashlib.md5(b"Kim's other tab").hexdigest()
    assert book.open("why", own, "Kim", student=order[12]).others == ("Lee",)


def test_a_lease_ends_by_leaving_or_after_two_minutes(book, clock):
    first = book.open("why", KIM, "Kim").student
    book.open("why", LEE, "Lee", student=first)
    clock.return_value += timedelta(seconds=SECONDS - 1)
    assert book.open("why", LEE, "Lee", student=first).others == ("Kim",)
    clock.return_value += timedelta(seconds=1)
    assert book.graders() == {"why": ["Lee"]}  # Kim's browser was killed
    assert book.open("why", LEE, "Lee", student=first).others == ()
    book.leave(LEE)
    assert book.graders() == {}
    assert book.open("why", MAX, "Max").student == first


def test_the_last_answers_are_named_by_who_has_them(book):
    order = book.order("why", CLASS)
    for student in order[2:]:
        grade(book, student)
    assert {book.open("why", page, "Lee").student for page in (KIM, LEE)} == set(order[:2])
    none = book.open("why", MAX, "Max")
    assert (none.student, none.others, none.then) == (None, ("Lee",), None)
    for student in order[:2]:
        grade(book, student)
    assert book.open("why", MAX, "Max").others == ()
    assert book.open("why", MAX, "Max", not_run={order[0]}, here=order[5]).student is None


def test_an_answer_that_nobody_has_is_not_leased(book):
    with pytest.raises(Refused, match="no answer of 'nobody'"):
        book.open("why", KIM, "Kim", student="nobody")
    with pytest.raises(Refused, match="printable characters"):
        book.open("why", KIM, "")
    assert book.graders() == {}


@pytest.mark.parametrize("killed", [0, 1])
def test_three_graders_grade_no_answer_twice(course, killed):
    """What a killed browser had open is graded by another one, when its lease has ended."""
    ran = simulated(course, 3, assignment=ASSIGNMENT, cell="why", killed=killed)
    assert Counter(student for _, student in ran.graded) == dict.fromkeys(CLASS, 1)
    assert ran.refused == 0
    shares = Counter(grader for grader, _ in ran.graded)
    assert len(shares) == 3
    assert ran.apart() > 3


@pytest.mark.slow
@pytest.mark.xdist_group("postgresql")
def test_with_postgresql_too_no_answer_is_graded_twice(postgresql: Server, tmp_path: Path) -> None:
    address = f"c.CourseDirectory.db_url = {postgresql.new_database()!r}\n"
    term = Term(tmp_path / "course", address).homework()
    for student in CLASS:
        term.hand_in(student, points=None)
    course = term.course
    ran = simulated(course, 3, assignment=ASSIGNMENT, cell="why", killed=1)
    assert Counter(student for _, student in ran.graded) == dict.fromkeys(CLASS, 1)
    desks = [ManualGrading(course, ASSIGNMENT) for _ in range(3)]  # a server for each grader
    threads = [
        threading.Thread(target=grade_all, args=(desk, f"{n:032x}", "plot"))
        for n, desk in enumerate(desks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {grading.waits for grading in desks[0].gradings("plot").values()} == {False}
    assert len(desks[0].history("plot")) == len(CLASS)
    for desk in desks:
        desk.close()


def grade_all(book: ManualGrading, page: str, cell: str) -> None:
    """Grade what is free until nothing is."""
    name = f"grader{page[-1]}"
    while (student := book.open(cell, page, name).student) is not None:
        grade(book, student, name, cell=cell)
