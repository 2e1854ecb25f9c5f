from dataclasses import replace

import pytest
from graded_course import FAILED, PASSED, course, error, notebook, problem

from hw_grading.analysis.report import report
from hw_grading.texts import columns

__all__ = ["course"]  # used by pytest, by name

WIDE = 160


def part(name):
    """A part that failed for a reason of its own."""
    return replace(FAILED, name=name, message=f"{name} is wrong")


def lines_of(course, width=WIDE):
    return report(course.root, "hw2", width).split("\n")


def test_points_are_listed_by_question_with_those_that_wait(course):
    course.grade("ada", notebook(), auto=1.5)
    course.grade("bob", notebook(), manual=4.0)
    lines = [" ".join(line.split()) for line in lines_of(course)]
    assert lines[:4] == [
        "student 1.1a 1.2 tests by hand total late",
        "of 3 6 3 6 9",
        "ada 1.5 0+ 1.5 4 wait 1.5",
        "bob 3 4 3 done 7",
    ]


def test_a_score_above_the_questions_points_is_reported(course):
    course.grade("ada", notebook(), manual=4.5)
    course.grade("bob", notebook(), manual=4.0)
    told = "    plot: a person gave 4.5 of 4, more than the question's points"
    still = "  a person gave more than the question's points (1): ada"
    assert [line for line in lines_of(course) if "a person gave" in line] == [told, still]


def test_the_first_faults_are_listed_and_the_others_counted(course):
    course.grade(
        "ada",
        notebook(
            plot=[error("NameError", "pit")],
            problems=[problem("A tag went.", "mended", "metadata")],
        ),
        parts=[PASSED, FAILED, replace(FAILED, name="far"), *(part(n) for n in "1234")],
    )
    assert lines_of(course)[3:8] == [
        "    double: 2 parts [4 pt]: out: expected 2, got 3",
        "    double: 1 [2 pt]: 1 is wrong",
        "    double: 2 [2 pt]: 2 is wrong",
        "    and 3 more",
        "    repaired: A tag went.",
    ]


def test_failed_and_ungraded_submissions_have_a_reason(course):
    course.grade("ada", notebook(problems=[problem("It looped for ever.")]))
    course.grade("bob", notebook())
    course.hand_in("eve")
    _, _, _, why_ada, bob, eve, why_eve, _, counts, _, *still = lines_of(course, 200)
    assert why_ada == "    graded with problems: It looped for ever."
    assert bob.endswith("4 wait      3")
    assert eve.split()[:6] == ["eve", *"–––––"]
    assert why_eve.startswith("    NOT GRADED: The notebook was submitted, ")
    assert counts == "graded 1, graded with problems 1, not graded 1"
    assert still == [
        "Open, before grades go out:",
        "  the time of submission is not proven (1): eve",
        "      write it into submitted/STUDENT/hw2/timestamp.txt, and type: hw-grading grade hw2",
        "  not graded (1): eve",
        "      hw-grading grade hw2 (it says why a submission cannot be graded)",
        "  2 answers to be graded by a person (+) (2): ada, bob",
        "      hw-grading desk hw2",
    ]


@pytest.mark.parametrize("width", [20, 80, 120, 160, 300])
def test_no_remark_is_wider_than_the_terminal(course, width):
    students = ["ada", "x" * 200, "王小明", "ñandú", "e\u0301va", "<b>x"]
    for student in students:
        course.grade(student, notebook(), parts=map(part, "123456789"))
    lines = lines_of(course, width)
    rows = [line for line in lines if " wait " in line]
    assert len(rows) == len(students)
    assert len({columns(row[: row.index(" wait ")]) for row in rows}) == 1
    table = columns(lines[0])
    assert max(map(columns, lines[: lines.index("")])) <= max(width, table)


def test_student_text_cannot_move_the_cursor(course):
    course.grade("a\x1b[2Jb\nc", notebook(test=[error("\x1b]0;title\x07", "\x1b[1;31ma\r\u202eb")]))
    lines = lines_of(course)
    assert all(c.isprintable() for line in lines for c in line)
    assert len(lines) == 10
