"""Answers that fail alike are seen together, named once, told to all, and given their points."""

import tomllib
from dataclasses import replace

import pytest
from feedback_pages import box, page_of, read
from graded_course import FAILED, PASSED, TEST, cell, notebook
from graded_course import course as graded
from html_pages import Page
from toy_course import ToyCourse

from hw_grading.__main__ import main
from hw_grading.analysis.mistakes import table
from hw_grading.desk import mistakes as page
from hw_grading.desk.desks import HomeworkDesk, NotThere
from hw_grading.desk.pictures import Thumbnails
from hw_grading.gradebook.model import Refused
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import Course
from hw_grading.mistakes.figures import bars, figures_of
from hw_grading.mistakes.groups import answers_to_tests, groups_of
from hw_grading.mistakes.known import Mistake, read_mistakes, sentence_for, write_mistake

__all__ = ["graded"]  # used by pytest, by name

RESULTS = "results: out: 3.5"
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e " + "x" * 5_000


def wrong(fingerprint=RESULTS, message=FAILED.message, **more):
    return replace(FAILED, fingerprint=fingerprint, message=message, **more)


@pytest.fixture
def desk(graded):
    """The desk's data of the graded course."""
    desk = HomeworkDesk(Course(graded.root), "hw2", Thumbnails())
    yield desk
    desk.close()


def first(desk):
    """The largest group of the test."""
    return page.all_groups(desk)["questions"][0]["groups"][0]


@pytest.mark.slow
def test_two_with_one_mistake_read_one_sentence_and_a_third_does_not(generated_course, tmp_path):
    """As an instructor would, with the real grader, in a course without `Checks`."""
    course: ToyCourse = generated_course.copied(tmp_path / "course")
    answers = {
        "ada": "def triple(x):\n    return x + 'a'",
        "bob": "def triple(number):\n    more = number + 'b'\n    return more",
        "eve": "def triple(x):\n    return x[3]",
        "dan": "def triple(x):\n    return 3 * x",
    }
    for student, source in answers.items():
        course.submit(student, course.answer(triple=source))
    assert course.grade().returncode == 0
    groups = groups_of(read_results(course.course, "hw2"), ())["test_triple"]
    assert [sorted(group.lost) for group in groups] == [["ada", "bob"], ["eve"]]
    command = ["--course", str(course.root)]
    assert main([*command, "feedback", "hw2"]) == 0
    before = {student: read(course, student) for student in answers}
    sentence = "A number and a text cannot be `added`"
    named = Mistake(test="test_triple", sentence=sentence, fingerprints=groups[0].key)
    write_mistake(course.root, "hw2", named)
    assert main([*command, "feedback", "hw2"]) == 0
    after = {student: read(course, student) for student in answers}
    told = "What happened A number and a text cannot be added"
    assert {who: box(text).count(told) for who, text in after.items()} == {
        "ada": 1, "bob": 1, "eve": 0, "dan": 0,
    }  # fmt: skip
    assert {who for who in answers if before[who] != after[who]} == {"ada", "bob"}


def test_feedback_names_whose_pages_changed_and_explain_says_the_sentence(graded, capsys):
    said_already = wrong(message="out: expected 2, got 3. Likely cause: Twice")
    parts = {"ada": wrong(), "bob": wrong(), "eve": wrong("results: out: 4"), "kim": said_already}
    for student, part in parts.items():
        graded.grade(student, notebook(), auto=1.0, manual=4.0, parts=[PASSED, part])
        page_of(graded, student)
    write_mistake(graded.root, "hw2", Mistake(test=TEST, sentence="Twice.", fingerprints=[RESULTS]))
    command = ["--course", str(graded.root)]
    assert main([*command, "report", "hw2"]) == 0
    assert "older than its scores and sentences (2): ada, bob" in capsys.readouterr().out
    assert main([*command, "explain", "hw2", "--student", "ada"]) == 0
    assert "        What happened: Twice." in capsys.readouterr().out.splitlines()
    assert main([*command, "explain", "hw2", "--student", "eve"]) == 0
    assert "What happened" not in capsys.readouterr().out


def test_a_pardon_and_its_undoing_change_every_total(graded, desk, capsys):
    for student, part in {"ada": wrong(), "bob": wrong(), "eve": wrong("results: out: 4")}.items():
        graded.grade(student, notebook(), auto=1.0, manual=4.0, parts=[PASSED, part])

    def totals():
        assert main(["--course", str(graded.root), "report", "hw2"]) == 0
        results = read_results(Course(graded.root), "hw2")
        return [results.of(who).final for who in sorted(results.students)], capsys.readouterr().out

    group = page.group(desk, TEST, first(desk)["id"])
    assert group["gains"] == [(2.0, 2)]
    with pytest.raises(Refused, match="have changed"):
        page.pardon(desk, TEST, group["id"], "0" * 64, "Both readings count.", "Kim")
    with pytest.raises(Refused, match="reason"):
        page.pardon(desk, TEST, group["id"], group["plan"], " ", "Kim")
    given = page.pardon(desk, TEST, group["id"], group["plan"], "Both readings count.", "Kim")
    assert totals()[0] == [7.0, 7.0, 5.0]
    assert "corrected by +2 for everybody with this answer: Both readings" in totals()[1]
    assert "Both readings count." in box(page_of(graded, "ada"))
    assert "Both readings count." not in page_of(graded, "eve")
    with pytest.raises(Refused, match="points already"):
        page.pardon(desk, TEST, group["id"], given["plan"], "Again.", "Kim")
    [pardon] = given["pardons"]
    assert (pardon["students"], pardon["points"], given["gains"]) == (2, 2.0, [])
    assert main(["--course", str(graded.root), "remove", "bob", "--yes"]) == 0
    assert first(desk)["pardons"][0]["students"] == 1
    undo = ["correct", "hw2", "--undo", str(pardon["key"])]
    assert main(["--course", str(graded.root), *undo]) == 0
    assert "+2 for 1 student alike" in capsys.readouterr().out
    assert totals()[0] == [5.0, 5.0]
    assert first(desk)["pardons"] == []


def test_a_name_is_saved_changed_and_removed(graded, desk):
    graded.grade("ada", notebook(), auto=1.0, parts=[PASSED, wrong()])
    key = first(desk)["id"]
    assert page.name(desk, TEST, key, " Not\n 2. ")["sentence"] == "Not 2."
    path = graded.root / "staff/hw2/mistakes.toml"
    path.write_text(path.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    assert page.name(desk, TEST, key, "Not 3.")["named"]
    assert "# mine" in path.read_text(encoding="utf-8")
    [row] = tomllib.loads(path.read_text(encoding="utf-8"))["mistake"]
    assert row == {"test": TEST, "sentence": "Not 3.", "fingerprints": [RESULTS]}
    assert main(["--course", str(graded.root), "mistakes", "hw2", "--store", "2026-fall"]) == 0
    assert read_mistakes(graded.root, "hw2")[0].terms == {"2026-fall": 1}
    assert not page.name(desk, TEST, key, "")["sentence"]
    assert read_mistakes(graded.root, "hw2") == ()
    with pytest.raises(NotThere):
        page.name(desk, TEST, "0" * 16, "x")


@pytest.mark.parametrize(
    ("known", "failed", "told"),
    [
        ([["results: a"]], ["results: a"], "0"),
        ([["results: a"], ["results: a", "results: b"]], ["results: a"], "0"),
        ([["results: a"], ["results: a", "results: b"]], ["results: a", "results: b"], "1"),
        ([["results: a", "results: b"]], ["results: a"], "0"),  # the same wrong results
        ([["a", "b"]], ["a"], ""),  # but messages have to be all there
        ([["a", "b"]], ["a", "b"], "0"),
        ([["results: a"], ["results: a"]], ["results: a"], ""),  # which of them?
        ([[""]], [""], ""),
    ],
)
def test_the_mistake_that_fits_best_is_told(known, failed, told):
    mistakes = [
        Mistake(test=TEST, sentence=str(number), fingerprints=its)
        for number, its in enumerate(known)
    ]
    assert sentence_for(mistakes, TEST, failed[0], failed) == told
    assert sentence_for(mistakes, "another test", failed[0], failed) == ""


def test_messages_may_be_of_several_mistakes_and_an_answer_of_one_is_folded(graded):
    parts = {"ada": wrong("E: #"), "bob": wrong("E: #"), "eve": wrong("F: #"), "kim": wrong()}
    for student, part in parts.items():
        graded.grade(student, notebook(), auto=1.0, parts=[PASSED, part])
    said = table(Course(graded.root), "hw2", width=100)
    assert "2 students, 4 points lost (may be several mistakes)" in said
    assert "2 students with answers unlike all others, 4 points lost" in said
    everything = table(Course(graded.root), "hw2", everything=True, width=100)
    assert everything.count("1 student, 2 points lost\n") == 1
    assert everything.count("1 student, 2 points lost (may be") == 1


def test_hostile_texts_stay_texts_and_a_forged_fingerprint_gives_nothing(graded, desk):
    code = f"def double(x):\n    return '{HOSTILE}'\n" + "#\n" * 3_000
    content = notebook()
    content["cells"][1] = cell("code", code, "double", solution=True)
    for student in ("ada", "bob"):
        message = HOSTILE if student == "ada" else f"{HOSTILE} 2"
        graded.grade(student, content, auto=1.0, parts=[PASSED, wrong(message=message)])
    # A pardon gives what a failure cost, and nothing to one that cost nothing.
    forged = wrong(points=0.0, message="results: out: 3.5")
    graded.grade("eve", notebook(), auto=3.0, parts=[PASSED, forged])
    said = table(Course(graded.root), "hw2", width=80)
    assert all(c == "\n" or c.isprintable() for c in said)
    assert max(map(len, said.splitlines())) <= 80
    group = page.group(desk, TEST, first(desk)["id"])
    lines = [text for one in group["others"] for _, text in one["lines"]]
    shown = [group["message"], *group["code"], *lines]
    assert all(text.isprintable() and len(text) <= 600 for text in shown)
    assert sum(len(one["lines"]) for one in group["others"]) <= 400
    assert group["gains"] == [(2.0, 2)]
    page.name(desk, TEST, group["id"], HOSTILE[:400])
    html = page_of(graded, "ada")
    assert Page(html).tags["script"] == 1  # its own, which saves a request
    assert "&lt;script&gt;" in html


def test_seven_hundred_groups_of_one_are_as_many_lines_as_one(graded, desk):
    graded.grade("ada", notebook(), auto=1.0, parts=[PASSED, wrong()])
    results = read_results(Course(graded.root), "hw2")
    [ada] = results.students.values()
    for number in range(700):
        run = replace(ada.run, parts=(PASSED, wrong(f"results: out: {number}")))
        student = replace(ada.student, id=f"student{number}")
        results.students[student.id] = replace(ada, student=student, run=run)
    groups = groups_of(results, ())[TEST]
    assert {len(group.lost) for group in groups} == {1}
    assert len({group.id for group in groups}) == 701


def test_code_is_that_of_the_answers_which_a_test_is_about(graded):
    source = notebook()
    source["cells"][2:2] = [
        cell("code", "def half(x): ...", "half", solution=True),
        cell("code", "checks = Checks('double')\nchecks(half)", "by_name", points=1),
        cell("code", "assert double(half(2))", "both", points=1),
        cell("code", "assert True", "nothing", points=1),
    ]
    graded.write(graded.root / "source" / "hw2", source)
    about = answers_to_tests(Course(graded.root), "hw2")
    assert about["by_name"] == ("double",)
    assert about["both"] == ("double", "half")
    assert about["nothing"] == ("half",)


# -- figures


@pytest.mark.parametrize(
    ("most", "points", "expected"),
    [
        (3, [0, 0.5, 2.9, 3, 3.5], {0: 1, 0.5: 1, 2.5: 1, 3: 2}),  # full marks, and a bonus
        (73, [0, 9.9, 10, 72.99, 73], {0: 2, 10: 1, 70: 1, 73: 1}),
        (1, [-0.5, 0.1 + 0.1, 1], {0: 1, 0.2: 1, 1: 1}),
        (0, [0, 1], {0: 2}),
    ],
)
def test_a_bar_has_points_up_to_the_next_and_the_last_all(most, points, expected):
    found = bars(points, most)
    assert {round(low, 9): count for low, count in found if count} == expected
    assert found[-1][0] == most
    assert len(found) <= 10


def test_before_people_have_graded_the_total_is_that_of_tests(graded):
    """Two empty answers, which autograde gives 0, are not the mean of the class."""
    for n in range(4):
        graded.grade(f"s{n}", notebook(), auto=float(n), manual=0.0 if n < 2 else None)
    found = figures_of(graded.results)
    assert (found.of_tests, found.total.mean, found.total.most) == (True, 1.5, 3)
    plot = next(question for question in found.questions if question.cell == "plot")
    assert (plot.waiting, plot.answered, plot.points.mean) == (2, 4, 0.0)


def test_a_test_without_an_answer_is_not_answered(graded):
    stub = replace(FAILED, message="double has no answer (NotImplementedError)")
    graded.grade("ada", notebook(), auto=0.0, parts=[stub])
    graded.grade("bob", notebook(), auto=3.0, parts=[PASSED])
    [test, *_] = figures_of(graded.results).questions
    assert (test.cell, test.answered) == (TEST, 1)
    assert groups_of(graded.results, ()) == {}
