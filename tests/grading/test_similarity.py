"""Which answers of a class are similar, and how the page shows them."""

import ast
import csv
import itertools
import json
import os
import random
import re
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from nbformat import from_dict
from test_plots_page import Page
from test_results import cell, course, pytestmark

from hw_grading.__main__ import main
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.similarity import pairs, prints
from hw_grading.similarity.comparing import LEAST, compare_class
from hw_grading.similarity.own import (
    MOST_CELLS,
    MOST_CHARACTERS,
    Kind,
    Piece,
    Released,
    _piece,
    read_released,
    read_work,
)
from hw_grading.similarity.page import MARK, table_of, write_similarity
from hw_grading.similarity.pairs import best_pairs, in_common, weights_of
from hw_grading.similarity.prints import prints_of

__all__ = ["course", "pytestmark"]  # used by pytest, by name

STUB = '''def double(x):
    """Twice x.

    Parameters
    ----------
    x : number
    """
    # YOUR CODE HERE
    raise NotImplementedError()'''
TEST = (
    "checks = Checks('double', points=3)\nwith checks('at 1', points=3):\n    assert double(1) == 2"
)
ANSWER = """    numbers = np.asarray(x, dtype=float)
    totals = np.zeros(len(numbers))
    for place, number in enumerate(numbers):
        totals[place] += number * 2 if number > 0 else number + number
    return totals.reshape(numbers.shape) - totals.mean() * 0"""
RENAMED = """    v=np.asarray(x,dtype=float)  # my own idea
    # really
    w = np.zeros( len(v) )

    for i, q in enumerate(v):
            w[i] += (
                q*2 if q>0 else q+q )
    return w.reshape(v.shape)-w.mean()*0"""
RENAMED = RENAMED.replace("(\n                ", "").replace(" )\n    return", "\n    return")
TEXT = "the error falls with the square of the step because the first terms of Taylor cancel out"
MARKUP = "<script>alert(1)</script>"


def notebook_of(*cells):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}


def answer(body, grade_id="double"):
    return cell("code", STUB.partition("    # YOUR")[0] + body, grade_id, solution=True)


def released(text="YOUR ANSWER HERE"):
    return notebook_of(
        cell("markdown", "# Homework"),
        cell("markdown", "**Name:**\nYOUR ANSWER HERE", "certification", solution=True),
        cell("code", STUB, "double", solution=True),
        cell("code", TEST, "test_double", points=3),
        cell("markdown", "#### Why?", "question"),
        cell("markdown", text, "answer", solution=True, points=2),
    )


@pytest.fixture
def handed(course):
    """Return a function that hands in, in a course that has released its homework."""
    course.write(course.root / "release" / "hw2", released())
    (course.root / "staff" / "hw2" / "homework.toml").write_text('certification = "certification"')

    def hand_in(student, *cells):
        content = notebook_of(*cells) if cells and isinstance(cells[0], dict) else cells[0]
        course.write(course.root / "submitted" / student / "hw2", content)

    return hand_in


def work_of(course, *cells):
    course.write(course.root / "one", notebook_of(*cells))
    handed_out = read_released(course_of(course), "hw2", "certification")
    return read_work(course.root / "one" / "hw2.ipynb", "ada", handed_out)


def course_of(course):
    return Course(course.root)


def own_lines(work):
    return [
        line
        for piece in work.pieces
        for line, own in zip(piece.lines, piece.own, strict=True)
        if own
    ]


def piece(code, kind=Kind.CODE):
    lines = tuple(code.splitlines())
    return Piece("", 1, kind, lines, tuple(bool(line.strip()) for line in lines))


# -- what students wrote


def test_lines_of_the_released_notebook_are_removed(course, handed):
    work = work_of(
        course,
        answer("    return 2 * x  # YOUR CODE HERE\n    raise NotImplementedError()"),
        cell("code", TEST + "\nassert mine", "test_double"),
        cell("code", TEST + "\nprint(double(3))"),
        cell("markdown", "YOUR ANSWER HERE\nMine.", "answer", solution=True),
        cell("markdown", "**Name:**\nAda Lovelace", "certification", solution=True),
    )
    assert own_lines(work) == [
        "    return 2 * x  # YOUR CODE HERE",
        "print(double(3))",
        "Mine.",
    ]
    assert [one.cell for one in work.pieces] == ["double", "", "answer"]


def test_a_line_of_the_stub_is_removed_once():
    handed_out = Released(frozenset(), {"a": Counter({"y = 1": 1})}, frozenset({"y = 1"}))
    one = from_dict(cell("code", "y = 1\ny = 1", "a"))
    assert _piece(one, 1, handed_out).own == (False, True)


def test_a_docstring_that_was_changed_hides_no_code(course, handed):
    changed = STUB.partition("    # YOUR")[0].replace("Twice x.", "Twice x!") + ANSWER
    (mine,) = work_of(course, cell("code", changed, "double")).pieces
    (other,) = work_of(course, answer(ANSWER)).pieces
    assert set(prints_of(other).hashes) <= set(prints_of(mine).hashes)


def test_cells_beyond_the_limit_are_reported(course, handed):
    work = work_of(course, *(cell("code", f"x = {n:04}") for n in range(MOST_CELLS + 2)))
    assert len(work.pieces) == MOST_CELLS
    assert f"Cells left out: {MOST_CELLS + 1}, {MOST_CELLS + 2}." in work.note
    work = work_of(course, *(cell("code", f"x = {n:04}") for n in range(MOST_CELLS + 20)))
    assert f", {MOST_CELLS + 15} and 5 more." in work.note


@pytest.mark.parametrize("grade_id", [None, "double"], ids=["added", "answer"])
@pytest.mark.parametrize("size", [MOST_CHARACTERS + 1, MOST_CHARACTERS - 20])
def test_a_long_cell_keeps_no_other_cell_from_being_compared(course, handed, size, grade_id):
    long = cell("code", "y = 1\n" + "#" * size, grade_id, solution=grade_id is not None)
    more = [cell("markdown", TEXT, "answer", solution=True), cell("code", "mine(1)")]
    work = work_of(course, long, answer(ANSWER), *more)
    names = [one.cell for one in work.pieces]
    assert names == ["double", "answer", ""]
    assert "Cells left out: 1." in work.note


def test_many_cells_keep_no_answer_from_being_compared(course, handed):
    added = [cell("code", f"x = {n}") for n in range(MOST_CELLS + 1)]
    work = work_of(course, *added, answer(ANSWER))
    assert work.pieces[-1].cell == "double"
    assert "2 more" not in work.note
    assert f"Cells left out: {MOST_CELLS}, {MOST_CELLS + 1}." in work.note


def test_an_answer_in_an_added_cell_is_an_answer_as_in_grading(course, handed):
    text = cell("markdown", "YOUR ANSWER HERE", "answer", solution=True, points=2)
    work = work_of(course, text, cell("markdown", TEXT), cell("code", "mine(1)"))
    assert [(one.cell, one.lines) for one in work.pieces] == [
        ("answer", (TEXT,)),
        ("", ("mine(1)",)),
    ]


def test_an_answer_that_was_typed_into_a_locked_question_is_compared(course, handed):
    question = cell("markdown", f"#### Why?\n{TEXT}", "question")
    blank = cell("markdown", "YOUR ANSWER HERE", "answer", solution=True, points=2)
    work = work_of(course, cell("code", "mine(1)"), question, blank)
    assert [(one.cell, one.number, one.lines) for one in work.pieces] == [
        ("", 1, ("mine(1)",)),
        ("answer", 2, (TEXT,)),
    ]


def disguised(how):
    """A code answer and a written one, which grading mends in each of these forms."""
    code = answer(ANSWER)
    text = cell("markdown", TEXT, "answer", solution=True)
    stub = cell("code", STUB, "double", solution=True)
    match how:
        case "raw":
            return [one | {"cell_type": "raw"} for one in (code, text)]
        case "other type":
            return [code | {"cell_type": "markdown"}, text | {"cell_type": "code"}]
        case "plain raw":
            return [stub, cell("raw", TEXT)]
        case name:
            first = cell("markdown", "**Name:**\nAda", "certification", solution=True)
            first = first if name == "certification" else cell("code", TEST, name)
            copy = cell("code", code["source"], name)
            return [copy, first, stub] if name == "certification" else [first, copy, stub, text]


@pytest.mark.parametrize("how", ["raw", "other type", "plain raw", "test_double", "certification"])
def test_no_type_or_metadata_of_a_cell_hides_an_answer(course, handed, how):
    work = work_of(course, *disguised(how))
    mine = set(own_lines(work))
    assert ("    totals = np.zeros(len(numbers))" in mine) == (how != "plain raw")
    assert (TEXT in mine) == (how != "certification")
    assert all((one.kind is Kind.TEXT) == (TEXT in one.lines) for one in work.pieces)
    assert {one.number for one in work.pieces} <= set(range(1, 5))


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace("e", "e\u200b"),
        TEXT.replace("a", "\u2060a\u00ad"),
        TEXT.replace("a", "a\u034f\ufe0f").replace("t", "\u3164t"),
        TEXT.replace("a", "\N{FULLWIDTH LATIN SMALL LETTER A}"),
        TEXT.replace("a", "&#8203;&#97;").replace("t", "<!-- x -->t<b></b>"),
        TEXT.replace("a", "a" + "\u0301\u0323" * 2_000),
    ],
    ids=["zero width", "joiner", "fillers", "wide", "HTML", "accents"],
)
def test_invisible_characters_change_no_word(other):
    found = prints_of(piece(other, Kind.TEXT))
    assert found.hashes.tolist() == prints_of(piece(TEXT, Kind.TEXT)).hashes.tolist()


# -- fingerprints


def test_names_layout_and_comments_are_ignored():
    one, other = prints_of(piece(ANSWER)), prints_of(piece(RENAMED))
    assert one.hashes.tolist() == other.hashes.tolist()
    assert len(one.hashes) > 50


def test_fingerprints_know_their_lines():
    code = "\n\nclass AVeryLongNameOfAClass:\n    pass\n\nx = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n"
    found = prints_of(piece(code + "y = [11, 12, 13, 14, 15, 16, 17, 18, 19]"))
    assert (found.first[0], found.last[-1]) == (2, 6)
    assert (found.first <= found.last).all()
    assert {*found.first, *found.last} <= {2, 3, 5, 6}


@pytest.mark.parametrize(
    "code", ["", "x", "\0" * 99, "'''" * 50, "(" * 9_000, "\\\n" * 99, "é = '\u2028'\n" * 20]
)
def test_any_text_has_fingerprints_or_none(code):
    found = prints_of(piece(code))
    assert len(found.hashes) == len(found.first) == len(found.last)


def test_blank_lines_take_no_time_and_change_no_fingerprint():
    code = "text = '''one\n\n\ntwo'''\n" + ANSWER + "\n{}" + ANSWER
    blank = " \t\n" * 30_000
    began = time.process_time()
    found = prints_of(piece(code.replace("\n\n", "\n \n").format(blank)))
    assert time.process_time() - began < 20  # seconds of computing: one here; without, minutes
    same = prints_of(piece(code.format("")))
    assert found.hashes.tolist() == same.hashes.tolist()
    assert found.first.max() == same.first.max() + 30_000


def test_code_that_takes_too_long_is_left_out_once_and_named(course, handed, monkeypatch):
    normalise, slow = prints.filter_code, []

    def slowly(code, *others):
        if "SLOW" in code:
            slow.append(code)
            while True:
                pass
        return normalise(code, *others)

    monkeypatch.setattr(prints, "filter_code", slowly)
    monkeypatch.setattr(prints, "_SECONDS", 0.5)
    for name in ("ada", "bob"):
        handed(name, cell("code", f"SLOW = '{name}'"), answer(ANSWER))
    compared = compare_class(course.root, "hw2", 5)
    assert len(slow) == 2
    note = "Cells left out, because it takes too long to compare them: 1."
    assert compared.partly == (("ada", note), ("bob", note))
    assert [(pair.first, pair.second) for pair in compared.pairs] == [("ada", "bob")]
    assert [match.first.cell for match in compared.pairs[0].matches] == ["double"]


# -- pairs


def test_runs_of_two_students_count_most_and_runs_of_many_count_nothing():
    weights = weights_of(np.array([1, 2, 3, 10, 11, 40]), 40)
    assert weights[:2].tolist() == [1, 1]
    assert 0 < weights[3] < weights[2] < 1
    assert weights[4:].tolist() == [0, 0]


@pytest.mark.parametrize("students", [0, 1, 2, 3, 30])
def test_the_fast_count_of_shared_runs_equals_a_direct_count(students, monkeypatch):
    monkeypatch.setattr(pairs, "_COLUMNS", 7)
    rng = np.random.default_rng(students)
    hashes = [rng.integers(0, 60, rng.integers(0, 40)) for _ in range(students)]
    found = in_common(hashes)
    has = Counter(h for one in hashes for h in set(one.tolist()))
    for i, j in itertools.combinations(range(students), 2):
        both = sorted(set(hashes[i].tolist()) & set(hashes[j].tolist()))
        counts = np.array([has[h] for h in both], dtype=int)
        assert found.shared[i, j] == pytest.approx(weights_of(counts, students).sum())
        assert found.shared[i, j] == found.shared[j, i]
    assert not found.shared.diagonal().any()


def test_the_best_pairs_come_first_and_each_once():
    scores = np.array([[0, 5, 9], [5, 0, 1], [9, 1, 0]])
    assert best_pairs(scores, 2, 10) == [(0, 2), (0, 1)]
    assert best_pairs(scores, 2, 1) == [(0, 2)]


# -- a class


def short_answers():
    """The staff's right answers to short functions: two statements at most, by function."""
    found = []
    for path in sorted((REPOSITORY / "staff" / "hw0" / "answers" / "right").glob("*.py")):
        parts = re.split(r"^# %%.*$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        bodies = [(part.strip(), ast.parse(part).body) for part in parts]
        found.append([t for t, body in bodies if len(body) == 1 and len(t.splitlines()) <= 3])
    return found


def hand_in_class(handed, count):
    """Each student has short right answers, drawn at random: many have the same one."""
    rng = random.Random(4)
    answers = short_answers()
    for n in range(count):
        code = [cell("code", rng.choice(some[:4])) for some in answers]
        handed(f"student{n:02d}", *code)
    return [rng.choice(some[:4]) for some in answers]


def test_a_copy_with_other_names_is_first_and_similar_short_answers_are_not_listed(course, handed):
    short = hand_in_class(handed, 40)
    plain = [cell("code", text) for text in short]
    handed("first", *plain, answer(ANSWER))
    handed("second", answer(RENAMED), *plain[::-1])
    compared = compare_class(course.root, "hw2", 5)
    best = compared.pairs[0]
    assert (best.first, best.second) == ("first", "second")
    assert [(pair.first, pair.second) for pair in compared.pairs[1:]] == []
    assert best.matches[0].first.cell == "double"
    body = len(STUB.partition("    # YOUR")[0].splitlines())
    assert {*range(body, body + 5)} <= best.matches[0].lines_of_first
    assert compared.median < LEAST / 4


def test_runs_of_more_than_a_quarter_of_the_class_make_no_pair_but_a_group(course, handed):
    for n in range(12):
        handed(f"s{n:02d}", answer(RENAMED if n % 2 else ANSWER))
    for n in range(8):
        handed(f"t{n}", answer("    return x + x"))
    compared = compare_class(course.root, "hw2", 5)
    assert compared.pairs == ()
    assert compared.same == (tuple(f"s{n:02d}" for n in range(12)),)


def test_a_group_is_on_the_page_and_one_line_more_is_another_group(course, handed):
    for student in "ab":
        handed(student, answer(ANSWER))
    longer = ANSWER.replace("    return", "    numbers = numbers + 1\n    return")
    for student in "cde":
        handed(student, answer(longer))
    assert compare_class(course.root, "hw2", 5).same == (("c", "d", "e"), ("a", "b"))
    page, _ = page_of(course)
    assert "The same work: 2 groups" in page.html
    assert "<li><bdi>c</bdi>, <bdi>d</bdi>, <bdi>e</bdi></li>" in page.html


def test_written_answers_are_compared_and_the_certification_is_not(course, handed):
    pledge = cell("markdown", f"**Name:**\n{3 * TEXT}", "certification", solution=True)
    words = [random.Random(n).sample(TEXT.split(), 16) for n in range(12)]
    for n in range(12):
        text = " ".join(words[n % 11] * (n + 1 if n < 11 else 1)) + f" Number {n}"
        handed(f"s{n:02d}", pledge, cell("markdown", text, "answer", solution=True))
    long = "\n\n".join(" ".join(random.Random(k).sample(TEXT.split(), 16)) for k in range(50, 56))
    for name in ("u", "v"):
        shouted = long.upper().replace(" ", "  ") if name == "v" else long
        handed(name, pledge, cell("markdown", shouted, "answer", solution=True))
    best = compare_class(course.root, "hw2", 5).pairs[0]
    assert (best.first, best.second) == ("u", "v")
    assert best.amounts[Kind.CODE] == 0


def test_unreadable_submissions_are_named_and_the_others_compared(course, handed):
    handed("ada", answer(ANSWER))
    handed("bob", answer(RENAMED))
    handed("bytes", "x")
    (course.root / "submitted" / "bytes" / "hw2" / "hw2.ipynb").write_bytes(os.urandom(999))
    handed("deep", "[" * 100_000)
    handed("empty", "")
    handed("link", "x")
    path = course.root / "submitted" / "link" / "hw2" / "hw2.ipynb"
    path.unlink()
    path.symlink_to(course.root / "submitted" / "ada" / "hw2" / "hw2.ipynb")
    (course.root / "submitted" / "folder" / "hw2" / "hw2.ipynb").mkdir(parents=True)
    (course.root / "submitted" / "linked").mkdir()
    (course.root / "submitted" / "linked" / "hw2").symlink_to(course.root / "submitted/ada/hw2")
    handed("many", json.dumps(notebook_of(*[cell("code", "")] * 6_000)))
    handed("huge", answer(ANSWER), cell("code", "y = 'x'\n" * MOST_CHARACTERS))
    compared = compare_class(course.root, "hw2", 5)
    unread = {"bytes", "deep", "empty", "link", "folder", "linked", "many"}
    assert {student for student, _ in compared.skipped} == unread
    assert [student for student, _ in compared.partly] == ["huge"]
    assert (compared.pairs[0].first, compared.pairs[0].second) == ("ada", "bob")


# -- the page and the table


def page_of(course, most=40):
    out = course.root / "out" / "page.html"
    write_similarity(course.root, "hw2", out, most)
    return Page(out), list(csv.DictReader(table_of(out).read_text(encoding="utf-8").splitlines()))


def test_the_page_shows_matching_lines_and_says_that_they_are_no_evidence(course, handed):
    for name, body in (("ada", ANSWER), ("bob", RENAMED), ("eve", "    return x + x")):
        handed(name, answer(body))
    page, rows = page_of(course)
    assert "Similarity is no evidence." in page.html
    assert "<mark>    totals = np.zeros(len(numbers))</mark>" in page.html
    assert "<mark>    w = np.zeros( len(v) )</mark>" in page.html
    assert "# really</mark>" not in page.html or "own idea" in page.html
    assert [(row["student"], row["other_student"]) for row in rows] == [("ada", "bob")]
    assert float(rows[0]["share_of_student"]) == 1
    assert rows[0]["cells"] == "double"


def test_the_page_begins_with_submissions_that_were_compared_in_part(course, handed, capsys):
    for name in [f"s{n:02}" for n in range(11)]:
        handed(name, cell("code", "y = 1\n" + "#" * MOST_CHARACTERS), answer(ANSWER))
    handed("ada", answer("    return x + x"))
    page, rows = page_of(course)
    assert "Look at 11 of these submissions yourself" in page.html
    parts = page.html.partition("How to use this page")
    assert "<h2>Compared in part: 11</h2>\n<details open>" in parts[0]
    assert "Cells left out: 1." in parts[0]
    handed("ada", cell("code", "y = 1\n" + "#" * MOST_CHARACTERS), answer(ANSWER))
    for n in range(11):
        handed(f"s{n:02}", answer(ANSWER if n == 0 else f"    return {n}"))
    page, rows = page_of(course)
    assert [(row["student"], row["other_student"]) for row in rows] == [("ada", "s00")]
    marked = '<bdi>ada</bdi> <small class="alarm">(in part)</small>'
    assert [half.count(marked) for half in page.html.split("<h2>Pairs</h2>")] == [1, 2]
    assert "<bdi>s00</bdi> <small" not in page.html
    assert run(course) == 1
    assert "ada: The submission was compared in part" in capsys.readouterr().out


def test_student_text_has_no_effect_on_the_page(course, handed):
    for name in ("=1+1", "<b>x"):
        handed(name, answer(f"{ANSWER}\n    '{MARKUP}' \u202e\x1b[2J"), cell("code", MARKUP * 20))
    handed("other", answer("    pass"))
    page, rows = page_of(course)
    assert "script" not in page.tags
    assert MARKUP not in page.html
    assert "b" not in [tag for tag in page.tags if tag == "b" and "<b>x" in page.html]
    assert not set(page.html) & {"\u202e", "\x1b"}
    assert "default-src 'none'" in page.html
    assert not re.search(r"https?://", page.html)
    assert {rows[0]["student"], rows[0]["other_student"]} == {"'=1+1", "<b>x"}


@pytest.mark.parametrize("count", [0, 1])
def test_a_class_of_none_or_one_gets_a_sentence(course, handed, count):
    for n in range(count):
        handed(f"s{n}", answer(ANSWER))
    page, rows = page_of(course)
    assert "Nothing was compared" in page.html
    assert rows == []


def test_as_many_pairs_as_asked_for_are_shown_and_the_table_has_the_others(course, handed):
    for n in range(3):
        handed(f"s{n}", answer(ANSWER))
    page, rows = page_of(course, most=1)
    assert page.tags.count("article") == 1
    assert len(rows) == 3


# -- the command


def run(course, *words):
    return main(["--course", str(course.root), "similarity", "hw2", *words])


def test_the_command_names_what_it_wrote_and_whom_it_left_out(course, handed, capsys):
    handed("ada", answer(ANSWER))
    assert run(course) == 0
    handed("bob\x1b[2J", "{")
    assert run(course) == 1
    said = capsys.readouterr().out
    assert "similarity_hw2.csv" in said
    assert "\x1b" not in said
    assert MARK in (course.root / "similarity_hw2.html").read_text(encoding="utf-8")


def test_without_the_package_the_command_says_how_to_install_it(
    course, handed, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "copydetect", None)
    assert run(course) == 2
    assert "pip install 'hw-grading[similarity]'" in capsys.readouterr().err


def test_without_a_release_the_command_says_how_to_make_one(course, capsys):
    assert run(course) == 2
    assert "nbgrader generate_assignment hw2" in capsys.readouterr().err


def test_a_page_that_the_command_did_not_write_is_kept(course, handed, capsys):
    mine = Path(course.root / "notes.html")
    mine.write_text("<p>mine", encoding="utf-8")
    assert run(course, "--out", str(mine)) == 2
    assert mine.read_text(encoding="utf-8") == "<p>mine"
    assert not (course.root / "notes.csv").exists()
    assert "did not write it" in capsys.readouterr().err
