"""docs/validity.md is current and without faults; its tool scores as nbgrader does."""

import ast
import builtins
import re

import pytest

from hw_support.checks import Part
from tools.validity import measuring, page, scoring
from tools.validity.answers import (
    Answer,
    Settings,
    answers,
    equivalent_of,
    homeworks,
    sections,
    settings_of,
    submissions,
)
from tools.validity.measuring import Measured
from tools.validity.mutants import mutants_of
from tools.validity.scoring import Cell, Notebook, Result, notebook_of, score, score_all

TEST = """\
checks = Checks("double", inputs="x", returns="y", cases=[(1.0, 2.0), (3.0, 6.0)])
### BEGIN HIDDEN TESTS
checks.grade_with("staff.hw0")
### END HIDDEN TESTS
checks.table("values", 2, "y")
checks.table("more", 1, "y", cases=[(5.0, 10.0)])
checks.score()
"""
RUN_TEST = """\
checks = Checks("run")
checks.shows("what double gives", 1, "result", lambda: double(4.0), of=["double"])
checks.score()
"""
DOUBLE = "def double(x):\n    return 2 * x"


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    for name in (scoring.SEED_VARIABLE, "NBGRADER_EXECUTION"):
        monkeypatch.setenv(name, "0")  # and put back after the test


@pytest.fixture
def toy():
    """A function that is tested, a result of it, and a slow answer."""
    cells = [
        Cell("setup", "import numpy as np\nfrom hw_support import Checks"),
        Cell("double", DOUBLE, is_answer=True),
        Cell("test_double", TEST, 3.0, is_test=True),
        Cell("run", "result = double(4.0)", is_answer=True),
        Cell("test_run", RUN_TEST, 1.0, is_test=True),
        Cell("learn", "def learn():\n    return 1", is_answer=True),
        Cell("learn_run", "learnt = learn()", is_answer=True),
        Cell("test_learn", "learnt", 1.0, is_test=True),
        Cell("plot", "1 / 0", is_answer=True),
    ]
    return Notebook("toy", cells, Settings(slow=("learn",)))


def wrong(source, name="for a test"):
    return Answer("double", name, {"double": source})


def lost(notebook, replaced, tests=("test_double", "test_run"), **how):
    return {test: result.lost for test, result in score(notebook, replaced, tests, **how).items()}


# -- the page


def test_the_committed_page_is_current():
    assert not page.out_of_date(), "run `make validity`"
    assert len(page.PAGE.read_text(encoding="utf-8").split()) <= 900


def test_a_section_names_what_went_wrong():
    found = Measured("with 2 seeds", wrong=4, right=3, mutants=5)
    found.missed = ["f: missed"]
    found.elsewhere = {"f: twice": {"test_g": 2.0}}
    found.no_result = {"f: nothing": {}}
    found.limits = {"f: opaque": "a reason"}
    found.unfair = {"f: fair": {"values": "expected 1, got 2"}}
    found.unearned = [(Answer("unearned", "noise", {}, 3, "test_f"), 4.0)]
    found.survivors = ["f: return 1"]
    text = page.section("hw0", found)
    for words in (
        "| 2 of 4 |",
        "| 2 of 3 (66.7%) |",
        "| noise (in `test_f`) | 4 | 3 |",
        "- f: opaque: a reason",
        "- f: twice: 2 in `test_g`",
        "- f: fair: *values*: `expected 1, got 2`",
        "- `f: return 1`",
    ):
        assert words in text
    assert len(found.faults) == 4


def test_a_homework_that_is_measured_alone_keeps_the_others_section(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "PAGE", tmp_path / "validity.md")
    page.write({name: Measured(wrong=1) for name in homeworks()})
    assert not page.out_of_date()
    page.write({"hw0": Measured(wrong=7)})
    assert re.findall(r"caught \| (\d) of", page.PAGE.read_text()) == ["7", "0", "1", "0"]
    monkeypatch.setattr(page, "digest", lambda homework: f"new{homework}")
    assert page.out_of_date() == homeworks()


# -- answers


@pytest.mark.parametrize("homework", homeworks())
def test_kept_answers_have_names_of_their_own_and_replace_cells(homework):
    notebook = notebook_of(homework)
    kept = [answers(homework, "wrong"), answers(homework, "right")]
    kept += [submissions(homework, "whole"), submissions(homework, "unearned")]
    for pool in kept:
        assert len({*map(str, pool)}) == len(pool)
        assert not [str(a) for a in pool if a.cells.keys() - notebook.cells.keys()]
    for pool in kept[:2]:
        assert {answer.function for answer in pool} >= {*notebook.functions}
    assert not notebook.settings.without_answer(kept[0])


def test_sections_share_what_stands_above_them():
    text = '"""Title."""\n# ruff: noqa\nh = 1\n\n# %% one\na\n\n'
    text += "# %% two [needs scipy]\nb\n# %% + c\nd\n"
    expected = [("one", "", "h = 1\n\na\n"), ("two", "scipy", "h = 1\n\nb\n"), ("+ c", "", "d\n")]
    assert [*sections(text)] == expected


def test_answers_of_several_cells_and_without_their_package(tmp_path, monkeypatch):
    monkeypatch.setattr("tools.validity.answers.folder_of", lambda homework: tmp_path)
    for name in ("wrong", "unearned"):
        (tmp_path / name).mkdir()
    text = "# %% one\na\n# %% + g\nb\n# %% two [needs no_such_package]\nc\n# %% + g\nd\n"
    (tmp_path / "wrong" / "f.py").write_text(text)
    assert answers("hw", "wrong") == [Answer("f", "one", {"f": "a\n", "g": "b\n"})]
    unearned = tmp_path / "unearned"
    (unearned / "a.py").write_text('"""At most 8 points: copied."""\n# %% f\na\n# %% g\nb\n')
    more = '"""At most 0 points in test_g: more."""\n# with a.py\n# %% g\nc\n'
    (unearned / "b.py").write_text(more)
    assert submissions("hw", "unearned") == [
        Answer("unearned", "copied", {"f": "a\n", "g": "b\n"}, 8.0),
        Answer("unearned", "more", {"f": "a\n", "g": "c\n"}, 0.0, "test_g"),
    ]
    (unearned / "b.py").write_text('"""Noise."""\n# %% g\nc\n')
    with pytest.raises(ValueError, match="At most 8 points"):
        submissions("hw", "unearned")
    (tmp_path / "validity.toml").write_text("goals = 3")
    with pytest.raises(ValueError, match=r"expected the keys slow, .*, causes; got goals"):
        settings_of("hw")


# -- scores


@pytest.mark.parametrize("homework", homeworks())
def test_the_instructors_answers_get_all_points(homework):
    notebook = notebook_of(homework)
    tests = [test for test in notebook.tests if not notebook.is_slow(test)]
    assert tests
    for test, result in score(notebook, {}, tests).items():
        assert result.lost == 0, result.printed
        assert notebook.charged(test)
        assert result.parts


def test_a_wrong_answer_costs_points_in_its_own_cell(toy):
    assert lost(toy, {}) == {"test_double": 0, "test_run": 0}
    assert lost(toy, {"double": "def double(x): return 3 * x"}) == {"test_double": 3, "test_run": 0}
    half = "def double(x): return 2 * x if x < 4 else 0"
    assert lost(toy, {"double": half}) == {"test_double": 1, "test_run": 0}


@pytest.mark.parametrize(
    ("source", "points"),
    [
        ("1.5", 1.5),
        ("None", 3),
        ("x = 1", 3),
        ("2.0\nraise ValueError", 0),
        ("raise SystemExit", 0),
        ("import sys\nprint('warning', file=sys.stderr)\n2.0", 0),
        ("not python", 0),
    ],
)
def test_a_cell_scores_as_in_nbgrader(toy, source, points):
    toy.cells["test_double"] = Cell("test_double", source, 3.0, is_test=True)
    assert lost(toy, {}, ["test_double"]) == {"test_double": 3 - points}


def test_visible_cells_lack_what_students_do_not_have(toy):
    hidden = "3.0\n### BEGIN HIDDEN TESTS\n1.0\n### END HIDDEN TESTS\n"
    toy.cells["test_double"] = Cell("test_double", hidden, 3.0, is_test=True)
    assert lost(toy, {}, ["test_double"]) == {"test_double": 2}
    assert lost(toy, {}, ["test_double"], visible=True) == {"test_double": 0}


def test_which_cells_run_for_which_answer(toy):
    assert toy.functions == ["double"]
    assert toy.shared == ["setup"]
    assert toy.tests_for(wrong("")) == ("test_double", "test_run")
    assert toy.tests_for(Answer("learn", "slow", {})) == ("test_learn",)
    assert toy.tests_for(Answer("whole", "all", {"learn": ""}))[2:] == ("test_learn",)
    ran = {
        tests: [cell.id for cell in toy.needed(tests)]
        for tests in (("test_double",), ("test_double", "test_run"), ("test_learn",))
    }
    assert [*ran.values()] == [
        ["double", "test_double"],
        ["double", "test_double", "run", "test_run"],
        ["double", "learn", "learn_run", "test_learn"],
    ]


def test_a_longer_name_is_charged_first():
    notebook = notebook_of("hw2")
    assert notebook.charged("test_q1_3b_ii") == "q1_3b_ii"
    assert notebook.charged("test_layer_forward_shapes") == "layer_forward"


def test_seeds_fix_random_numbers_and_runs_leave_nothing_behind(monkeypatch):
    monkeypatch.setattr(builtins, "seen", [], raising=False)
    notebook, spy = (
        notebook_of("hw2"),
        (
            "import builtins\ndef relu_activation(s):\n"
            "    builtins.seen[-1] += [np.array(s).tobytes(), rng.random()]\n"
            "    return np.maximum(s, 0), s > 0\nleft_behind = 1\nX_train = None\n"
        ),
    )
    for seed in (1, 1, 2):
        builtins.seen.append([])
        score(notebook, {"relu_activation": spy}, ["test_relu_activation"], seed)
    first, again, other = builtins.seen
    assert first == again
    assert [*map(type, first)] == [*map(type, other)]
    assert first != other
    assert first[0] == other[0], "a visible case comes first"
    assert first[-6] != other[-6], "the last cases are fresh"
    names = scoring._seeded(notebook, 0)
    assert names["X_train"] is not None
    assert "left_behind" not in names


def test_answers_are_scored_in_processes_in_the_order_given(toy):
    toy.cells["test_double"] = Cell("test_double", "float(double(1))", 2.0, is_test=True)
    pool = [wrong(f"def double(x): return {n}", str(n)) for n in range(3)]
    came = score_all(toy, [(answer, ("test_double",)) for answer in pool], [0, 1])
    assert [(a.name, [run["test_double"].score for run in runs]) for a, runs in came] == [
        (str(n), [n, n]) for n in range(3)
    ]


# -- what is found


def runs_of(points, *parts, cell="test_double", of=3.0):
    return [{cell: Result(points, of, parts)}]


def failed(what, message):
    return Part(what, 1.0, message)


def test_wrong_answers_are_missed_caught_or_lose_elsewhere(toy):
    found, cause = Measured(), "off. Likely cause: the sign is wrong. Input: x = [1]"
    toy.settings = Settings(
        no_answers={"double": ["none"]},
        causes={"double": {"judged": "sign"}},
        limits={"double": {"limit": "why"}},
    )
    for name, result in {
        "missed": {"test_double": Result(3, 3), "test_run": Result(1, 1)},
        "limit": {"test_double": Result(3, 3), "test_run": Result(1, 1)},
        "twice": {"test_double": Result(0, 3), "test_run": Result(0, 1)},
        "none": {"test_double": Result(0, 3), "test_run": Result(0, 1)},
        "judged": {"test_double": Result(0, 3, (failed("a", cause),)), "test_run": Result(1, 1)},
        "other": {"test_double": Result(0, 3, (failed("a", cause),)), "test_run": Result(1, 1)},
    }.items():
        measuring._add_wrong(found, toy, wrong("", name), [result])
    assert (found.wrong, found.missed, found.causes) == (6, ["double: missed"], 2)
    assert found.limits == {"double: limit": "why"}
    assert found.elsewhere == {"double: twice": {"test_run": 1}}
    assert [*found.no_result] == ["double: none"]
    assert found.not_judged == ["double: other: the sign is wrong"]
    assert found.in_one_cell == 0.8


def test_right_answers_are_refused_at_once_or_treated_unfairly(toy, monkeypatch):
    visible = runs_of(1.0, failed("a", "what the student reads"))
    monkeypatch.setattr(
        measuring, "score_all", lambda notebook, jobs, *_, **__: ((a, visible) for a, _ in jobs)
    )
    graded = runs_of(1.0, failed("a", "graded"), failed("b", "only when graded"))
    found = Measured()
    measuring._add_right(found, toy, [(wrong("", "odd"), graded)])
    assert found.refused == {"double: odd": {"a": "what the student reads"}}
    assert found.unfair == {"double: odd": {"b": "only when graded"}}


# -- mutants


@pytest.mark.parametrize("homework", homeworks())
def test_mutants_differ_from_each_other_and_compile(homework):
    notebook = notebook_of(homework)
    for function in notebook.functions:
        mutants = mutants_of(notebook, function)
        sources = {mutant.cells[function] for mutant in mutants}
        assert len(mutants) == len(sources) == len({mutant.name for mutant in mutants}) > 0
        assert ast.unparse(ast.parse(notebook.cells[function].source)) not in sources
        for source in sources:
            compile(source, function, "exec")
        known = equivalent_of(homework).get(function, {}).keys()
        assert known <= {mutant.name for mutant in mutants}


def test_known_changes_are_made():
    names = {mutant.name for mutant in mutants_of(notebook_of("hw2"), "layer_forward")}
    assert {
        "out, dout_ds = activation_fn(x @ W - b)",  # another operator
        "out, dout_ds = activation_fn(W @ x + b)",  # operands swapped
        "out, dout_ds = -activation_fn(x @ W + b)",  # sign
        "dout_ds, out = activation_fn(x @ W + b)",  # elements swapped
        "pass  # return (out, (x, W, dout_ds))",  # statement dropped
    } <= names
