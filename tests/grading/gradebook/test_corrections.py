"""Corrections for all: their effect on scores, and how they are stored, shown and undone."""

import csv
import re

import pytest
from by_hand import Term

from hw_grading.analysis.report import report
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.corrections import Correction, CorrectionKind, applied
from hw_grading.gradebook.model import Refused
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import Score, ScoredCell, SubmissionRecord
from hw_grading.homework.course import Course
from hw_grading.mistakes.figures import figures_of
from hw_grading.rendering.feedback.summary import PageFacts, summary_of


def correct(term: Term, *words: object, reason: str = "the text was unclear") -> int:
    return term.type("correct", "ps1", *words, "--reason", reason)


def change(kind: CorrectionKind, points: float = 0.0, key: int = 1) -> Correction:
    student = "ada" if kind is SET else ""
    return Correction(key, "why", points, "", kind, "ps1", student)


ADD, DROP, FULL, SET = (
    CorrectionKind.ADD,
    CorrectionKind.DROP,
    CorrectionKind.FULL,
    CorrectionKind.SET,
)


@pytest.mark.parametrize(
    ("given", "changes", "points"),
    [
        (1, [change(ADD, 2)], 3),
        (3, [change(ADD, 2)], 4),  # up to what the cell is worth
        (5, [change(ADD, 2)], 5),  # extra credit is kept
        (1, [change(ADD, -2)], 0),  # and never below 0
        (-1, [change(ADD, -2)], -1),
        (None, [change(ADD, 2)], 2),
        (1, [change(FULL)], 4),
        (3, [change(DROP)], 0),
        (3, [change(ADD, 1), change(ADD, -2)], 2),
        (3, [change(FULL), change(ADD, -1)], 3),
        (None, [change(SET, 4)], 4),
        (0, [change(SET, 1), change(ADD, 2)], 3),  # in the order in which they were made
        (0, [change(ADD, 2), change(SET, 1)], 1),
    ],
)
def test_a_correction_changes_a_score_by_its_kind(given, changes, points):
    score = Score(ScoredCell("why", 4.0, by_hand=True), manual=given)
    corrections = applied(SubmissionRecord("ada", scores=(score,)), changes)
    assert len(corrections) == len(changes)
    assert score.points + sum(correction.points for correction in corrections) == points


def test_a_dropped_cell_ignores_other_corrections():
    score = Score(ScoredCell("why", 4.0, by_hand=True), manual=3.0)
    changes = [change(FULL, key=1), change(SET, 1, key=2), change(DROP, key=3), change(DROP, key=4)]
    done = applied(SubmissionRecord("ada", scores=(score,)), changes)
    assert [(one.key, one.points, one.drops) for one in done] == [(3, -3, True)]


def test_who_submitted_nothing_readable_gets_no_correction():
    """Then nbgrader's rows are there, but neither a test nor a person has scored any."""
    cells = (ScoredCell("why", 4.0, by_hand=True), ScoredCell("test", 2.0, by_hand=False))
    unread = SubmissionRecord("ada", scores=tuple(map(Score, cells)))
    assert applied(unread, [change(FULL, key=1)]) == []
    assert [one.key for one in applied(unread, [change(FULL, key=1), change(SET, 2, key=2)])] == [2]


def test_points_for_everybody_are_given_and_undone_by_commands(term, capsys):
    term.hand_in("ada", points=2).hand_in("ben", points=10)
    with term.gradebook() as book:
        book.add_student("eve")
    assert correct(term, "why", "--add", "1") == 0
    effect, total, line, undo = capsys.readouterr().out.splitlines()
    assert effect == "Students with more points: 1, with fewer: 0, unchanged: 1."
    assert total == "The homework has 10 points."
    assert line.startswith("1: +1 for everyone in why, Q1 a. Why: the text was unclear (")
    assert "hw-grading correct ps1 --undo NUMBER" in undo
    finals = read_results(term.course, "ps1").students
    assert {name: one.final for name, one in finals.items()} == {"ada": 3, "ben": 10, "eve": 0}
    assert (finals["ada"].points("why"), finals["ada"].points("plot")) == (3, 0)
    assert [correction.points for correction in finals["ben"].corrections] == [
        0
    ]  # it is listed anyway
    assert finals["eve"].corrections == ()
    assert term.type("correct", "ps1", "--undo", "1") == 0
    assert term.final("ada").final == 2
    capsys.readouterr()
    term.type("correct", "ps1", "--list")
    listed = capsys.readouterr().out
    assert re.match(r"1: \+1 .* \(\w+, [-\d: ]+ UTC; undone by \w+, [-\d: ]+ UTC\)\n", listed)


def test_points_for_those_who_answered_are_shown_before(term, capsys):
    term.hand_in("ada", points=2).hand_in("ben", points=None)
    with term.gradebook() as book:  # Ben left the answer as it was
        book.find_grade("why", "ps1", "ps1", "ben").auto_score = 0.0
        book.db.commit()
    assert correct(term, "why", "--add", "1", "--answered", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [
        "Students with more points: 1, with fewer: 0, unchanged: 1.",
        "  ada: 2 → 3",
        "The homework has 10 points.",
        "Nothing was changed (--dry-run).",
    ]
    assert term.final("ada").final == 2
    assert correct(term, "why", "--add", "1", "--answered") == 0
    assert "1: +1 for everyone who answered why, Q1 a. Why" in capsys.readouterr().out
    assert (term.final("ada").final, term.final("ben").final) == (3, 0)
    assert [str(correction) for correction in term.final("ada").corrections] == [
        "corrected by +1 for everybody who answered: the text was unclear"
    ]
    assert term.final("ben").corrections == ()


def test_a_test_that_met_no_answer_is_not_an_answered_one():
    scores = (Score(ScoredCell("test", 2.0, by_hand=False), auto=0.0),)
    record = SubmissionRecord("ada", scores=scores)
    added = Correction(1, "test", 1.0, "", CorrectionKind.ANSWERED, "ps1")
    assert applied(record, [added], unanswered={"test"}) == []
    assert [one.points for one in applied(record, [added])] == [1.0]


def test_nobody_waits_for_a_person_in_a_dropped_question(term, tmp_path, capsys):
    term.hand_in("ada", points=7)
    with term.gradebook() as book:
        grade = book.find_grade("plot", "ps1", "ps1", "ada")
        grade.manual_score, grade.needs_manual_grade = None, True
        book.db.commit()
    to = tmp_path / "questions.csv"
    words = ["export", "ps1", "--format", "questions", "--output", to]
    assert term.type(*words) == 1
    assert "not final: 1 student (an answer waits for a person: 'ada'" in capsys.readouterr().err
    correct(term, "plot", "--drop")
    correct(term, "why", "--add", "-1")
    assert term.type(*words) == 0
    with to.open(encoding="utf-8", newline="") as stream:
        ada = next(csv.DictReader(stream))
    assert "plot (2 pts)" not in ada
    assert float(ada["why (4 pts)"]) + float(ada["corrections"]) == float(ada["score"]) == 3
    shown = report(term.folder, "ps1", 160)
    assert "to be graded by a person" not in shown
    assert shown.split("\n")[1].split() == ["of", "4", "0", "4", "4"]
    assert "done" in shown.split("\n")[2].split()
    found = figures_of(read_results(Course(term.folder), "ps1"))
    assert [question.cell for question in found.questions] == ["why"]
    assert (found.total.mean, found.total.most) == (3, 4)


def test_a_correction_belongs_to_one_homework(term, capsys):
    term.homework("ps2", due="2022-11-01 12:00:00")
    for name in ("ps1", "ps2"):
        term.hand_in("ada", points=1, name=name)
    correct(term, "why", "--full-marks")
    assert [term.final(name=name).final for name in ("ps1", "ps2")] == [4, 1]
    assert term.type("correct", "ps2", "--undo", "1") == 2
    assert "ps2 has no correction 1; it belongs to ps1" in capsys.readouterr().err
    for number in (0, 9, 10**20):
        assert term.type("correct", "ps1", f"--undo={number}") == 2
        assert f"ps1 has no correction {number}." in capsys.readouterr().err
    term.type("correct", "ps1", "--undo", "1")
    capsys.readouterr()
    assert term.type("correct", "ps1", "--undo", "1") == 2
    assert "was already undone by" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Q1", "--drop", "--reason", "x"], "fits several questions"),
        (["Q2", "--drop", "--reason", "x"], "is not a question with points"),
        (["why", "--add", "1"], "Expected a reason, which students read"),
        (["why", "--add", "0", "--reason", "x"], "Expected points up to 4 and not 0"),
        (["why", "--add", "nan", "--reason", "x"], "Expected points up to"),
        (["why", "--add", "1", "--reason", "x" * 3_000], "at most 2,000 characters"),
        (["why", "--reason", "x", "--student", "ad", "--to", "1"], "'ad' has submitted nothing"),
        (["why", "--reason", "x", "--student", "ada", "--to", "5"], "from 0 to 4 for why, found 5"),
        (["why", "--reason", "x", "--to", "1"], "--student and --to go together"),
    ],
)
def test_a_contradictory_command_corrects_nothing(term, capsys, words, said):
    term.hand_in("ada", points=2)
    assert term.type("correct", "ps1", *words) == 2
    assert said in capsys.readouterr().err
    assert term.final().corrections == ()


def test_one_students_points_are_set_shown_and_undone(term, capsys):
    for student in ("ada", "ben", "cyd"):
        term.hand_in(student, points=2)
    told = ("--student", "ada", "--to", "3.5", "--student", "cyd")
    assert correct(term, "1 a", *told, reason="regraded") == 0
    said = capsys.readouterr().out
    assert "Students with more points: 2," in said
    assert "2: cyd has 3.5 points in why, Q1 a. Why: regraded (" in said
    assert [term.final(student).final for student in ("ada", "ben", "cyd")] == [3.5, 2, 3.5]
    shown = report(term.folder, "ps1", 160)
    assert shown.count("    why: corrected by +1.5 for this student alone: regraded") == 2
    assert term.type("correct", "ps1", "--undo", "1") == 0
    assert [term.final(student).final for student in ("ada", "ben", "cyd")] == [2, 2, 3.5]


def test_the_desk_sets_a_students_points_and_takes_it_back(term):
    term.hand_in("ada", points=2).hand_in("ben", points=2)
    book = ManualGrading(term.course, "ps1")
    number = book.correct_student("plot", "ada", 5, "a typing error", "kim")
    assert [term.final(student).final for student in ("ada", "ben")] == [7, 2]
    book.undo_correction(number, "kim")
    with pytest.raises(Refused, match="already undone by kim"):
        book.undo_correction(number, "kim")
    for cell, points, reason in (("plot", 7, "x"), ("plot", 1, " "), ("plot", 1, "\0")):
        with pytest.raises(Refused):
            book.correct_student(cell, "ada", points, reason, "kim")
    for cell, student in (("plot", "eve"), ("nothing", "ada")):
        with pytest.raises(Refused):
            book.correct_student(cell, student, 1, "x", "kim")
    assert (term.final().final, read_results(term.course, "ps1").rules.changes) == (2, [])
    book.close()


def facts_of(term: Term, student: str = "ada") -> PageFacts:
    results = read_results(term.course, "ps1", student)
    return PageFacts(student, "ps1", results.cells, results.max_score, results.of(student))


def test_feedback_shows_corrections_reasons_and_late_penalties(term):
    term.policy(percent=10)
    term.hand_in("ada", "2022-10-05 12:00:00", points=7)
    correct(term, "plot", "--add", "2", reason="<b>unclear</b>")
    correct(term, "why", "--drop", reason="not taught")
    correct(term, "plot", "--student", "ada", "--to", "6", reason="regraded")
    summary = summary_of(facts_of(term), [], [])
    assert (summary.total, summary.most) == ("5.4", "6")
    assert summary.remarks == (
        "Your answers earned 6 points. 0.6 were taken off for lateness (12 h 1 min late: 10 % of "
        "all points for each day, so for 1 day).",
    )
    assert [(line.points, line.text) for line in summary.corrections] == [
        ("+2", "plot, everybody: <b>unclear</b>"),
        ("does not count:", "why, everybody: not taught"),
        ("+1", "plot, you alone: regraded"),
    ]
    words = {question.name: question.points.words for question in summary.questions}
    assert words == {"plot": "6 of 6 (corrected by +3)", "why": "does not count"}
