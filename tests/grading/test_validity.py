"""docs/validity.md is current; its tool scores as nbgrader does, and names every fault."""

import pytest

from tools.validity import page, scoring
from tools.validity.answers import Settings, answers, homeworks, settings_of, submissions
from tools.validity.measuring import measure
from tools.validity.scoring import Cell, Notebook, notebook_of, score

TEST = """\
cases = [(3.0, 6.0)]
### BEGIN HIDDEN TESTS
cases.append((5.0, 10.0))
### END HIDDEN TESTS
x = np.arange(1.0, 4)
checks = Checks("double", inputs="x", returns="y", cases=[(x, 2 * x)])
checks.table("arrays", 2, "y")
checks.table("numbers", 2, "y", cases=cases)
checks.score()
"""
RUN_TEST = """\
checks = Checks("run")
checks.shows("what double gives", 1, "result", lambda: double(4.0), of=["double"])
checks.score()
"""


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    for name in (scoring.SEED_VARIABLE, "NBGRADER_EXECUTION"):
        monkeypatch.setenv(name, "0")  # and put back after the test


@pytest.fixture
def toy():
    """A function that is tested, a result of it, a slow answer, and a plot that fails."""
    cells = [
        Cell("setup", "import numpy as np\nfrom hw_support import Checks"),
        Cell("double", "def double(x):\n    return 2 * x", is_answer=True),
        Cell("test_double", TEST, 4.0, is_test=True),
        Cell("run", "result = double(4.0)", is_answer=True),
        Cell("test_run", RUN_TEST, 1.0, is_test=True),
        Cell("learn", "def learn():\n    return 1", is_answer=True),
        Cell("learn_run", "learnt = learn()", is_answer=True),
        Cell("test_learn", "learnt", 1.0, is_test=True),
        Cell("plot", "1 / 0", is_answer=True),
    ]
    return Notebook("toy", cells, Settings(slow=("learn",)))


def test_the_committed_page_is_current():
    assert not page.out_of_date(), "run `make validity`"


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


WRONG = {
    "missed": "two * x",
    "a limit": "x * two",
    "twice": "3 * x\n# %% + run\nresult = 1.0",
    "judged": "-two * x",
    "not judged": "-1 * two * x",
    "nothing": "None",
    "left out [needs no_such_package]": "x\n# %% + run\nresult = 1.0",
}
RIGHT = {"refused": "{'twice': 2 * x}", "unfair": "2 * x if np.ndim(x) or x < 4 else 0"}
FILES = {
    name: head + "".join(f"# %% {name}\ndouble = lambda x: {value}\n" for name, value in of.items())
    for name, head, of in (
        ("wrong/double.py", '"""Wrong."""\n# ruff: noqa\ntwo = 2\n\n', WRONG),
        ("right/double.py", "", RIGHT),
        ("whole/a.py", '"""Doubles only."""\n', {"double": "2 * x"}),
        ("unearned/a.py", '"""At most 1 point in test_double: a guess."""\n', {"double": "6.0"}),
    )
} | {
    "unearned/b.py": '"""At most 0 points: all of it."""\n# with a.py\n# %% run\nresult = 6.0\n',
    "validity.toml": 'no_answers.double = ["nothing"]\nlimits.double."a limit" = "why"\n'
    'causes.double.judged = "sign"\n',
}


def test_measuring_a_homework_names_every_fault(toy, tmp_path, monkeypatch):
    monkeypatch.setattr("tools.validity.answers.folder_of", lambda homework: tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    toy.settings = settings_of("toy")
    found = measure(toy, [0, 1], without=["learn"])
    assert (found.wrong, found.right, found.missed) == (6, 3, ["double: missed"])
    assert found.limits == {"double: a limit": "why"}
    assert found.elsewhere == {"double: twice": {"test_run": 1}}
    assert [*found.no_result, *found.refused] == ["double: nothing", "double: refused"]
    assert (found.causes, found.not_judged) == (2, ["double: not judged: the sign is wrong"])
    assert [*found.unfair] == ["double: unfair"]
    assert [(a.name, points) for a, points in found.unearned] == [("a guess", 0), ("all of it", 1)]
    assert found.survivors == ["double: return x * 2"]
    assert len(found.faults) == 5, found.faults
    text = page.section("toy", found)
    for words in ("| 4 of 6 |", "| 4 of 5 (80.0%) |", "- double: twice: 1 in `test_run`"):
        assert words in text
    assert "| a guess (in `test_double`) | 0 | 1 |" in text


@pytest.mark.parametrize(
    ("source", "points"),
    [
        ("1.5", 1.5),
        ("None", 4),
        ("x = 1", 4),
        ("2.0\nraise ValueError", 0),
        ("raise SystemExit", 0),
        ("import sys\nprint('warning', file=sys.stderr)\n2.0", 0),
        ("not python", 0),
    ],
)
def test_a_cell_scores_as_in_nbgrader(toy, source, points):
    toy.cells["test_double"] = Cell("test_double", source, 4.0, is_test=True)
    assert score(toy, {}, ["test_double"])["test_double"].score == points
