"""Verdicts are cached until something changes that determines them."""

import dataclasses

import harness
import pytest
import verdicts
from answers import Answer, whole_submissions
from cells import Cell, Notebook, homeworks, notebook_of
from guarded import judge
from settings import Settings
from verdicts import KeptVerdicts

import hw_support.attempts

HALF_RIGHT = "def double(x):\n    return 2 * x if x < 5 else 0\n"


def checking(name, *parts):
    lines = [f'checks = Checks("{name}", points={len(parts)})']
    for number, part in enumerate(parts, 1):
        lines.append(f'with checks("part {number}", points={number}):\n    expect({part}, "no")')
    points = float(sum(range(len(parts) + 1)))
    return Cell(f"test_{name}", "\n".join([*lines, "checks.score()"]), points, is_test=True)


DOUBLE = checking("double", "double(2) == 4", "double(5) == 10")
CELLS = (
    Cell("setup", "from hw_support import Checks, expect\nsize = 1", 0.0),
    Cell("double", "def double(x):\n    return 2 * x", 0.0, is_answer=True),
    DOUBLE,
    Cell("triple", "def triple(x):\n    return 3 * x", 0.0, is_answer=True),
    checking("triple", "triple(2) == 6"),
)


def toy(**changed):
    """Return the toy notebook, with other sources or points for some cells."""
    cells = [dataclasses.replace(cell, **changed.get(cell.id, {})) for cell in CELLS]
    return Notebook("toy", cells, Settings())


@pytest.fixture
def judged(tmp_path):
    """Judge an answer to `double` with what was kept; return what was measured, and the verdict."""

    def run(notebook, source=HALF_RIGHT, *, seeds=(0,), is_hoped=True, isolated=False, anew=False):
        kept = KeptVerdicts(tmp_path / "kept" / "verdicts.sqlite", anew=anew)
        answer = Answer("double", "for a test", source)
        ((_, verdict),) = kept.judge(
            notebook, [answer], seeds, hoped=lambda *_: is_hoped, isolated=isolated
        )
        kept.close()
        return kept.measured, verdict

    return run


def test_a_stored_verdict_is_found_and_unchanged(judged):
    first, verdict = judged(toy())
    second, again = judged(toy())
    assert (first, second) == (2, 0)
    assert again.lost == verdict.lost == {"test_double": 2.0}
    assert again.own_tests == verdict.own_tests
    ((kept,), (new,)) = again.runs, verdict.runs
    assert list(kept) == list(new) == ["test_double", "test_triple"]
    for test, result in kept.items():
        assert (result.score, result.points) == (new[test].score, new[test].points)
        assert [p.passed for p in result.parts] == [p.passed for p in new[test].parts]


@pytest.mark.parametrize(
    ("cell", "source", "measured"),
    [
        ("test_double", DOUBLE.source.replace("== 4", "== 4.0"), 1),
        ("test_triple", "1.0", 1),
        ("triple", "def triple(x):\n    return x + 2 * x", 2),
        ("setup", CELLS[0].source.replace("size = 1", "size = 2"), 2),
        ("double", "def double(x):\n    return x + x", 0),  # the answer takes its place
        ("test_double", "# a comment\n" + DOUBLE.source, 0),
        ("triple", 'def triple(x):\n    """Three times x."""\n    return 3 * x', 0),
    ],
)
def test_a_change_is_measured_only_where_it_matters(judged, cell, source, measured):
    judged(toy())
    assert judged(toy(**{cell: {"source": source}}))[0] == measured


def test_another_answer_seed_or_way_is_measured(judged):
    judged(toy())
    assert judged(toy(), HALF_RIGHT.replace("0", "1"))[0] == 2
    assert judged(toy(), seeds=(0, 1))[0] == 2
    assert judged(toy(), isolated=True)[0] == 2
    assert judged(toy(), seeds=(0, 1))[0] == judged(toy(), isolated=True)[0] == 0


def test_a_changed_imported_module_is_measured_again(judged, monkeypatch):
    imports = {"source": "from hw_support import fresh\n1.0"}
    judged(toy(test_triple=imports))
    digest_of_files = verdicts.digest_of_files

    def changed(paths):
        paths = list(paths)
        is_new = any(path.name == "fresh.py" for path in paths)
        return digest_of_files(paths) + "another" * is_new

    monkeypatch.setattr(verdicts, "digest_of_files", changed)
    assert judged(toy(test_triple=imports))[0] == 1


def test_another_version_of_a_package_is_measured(judged, monkeypatch):
    judged(toy())
    monkeypatch.setattr(verdicts, "versions", lambda: "numpy 9")
    assert judged(toy())[0] == 2


def test_new_points_of_parts_are_counted_without_a_run(judged):
    judged(toy())
    source = DOUBLE.source.replace("points=2)", "points=4)", 2)
    assert source.count("points=4") == 2
    measured, verdict = judged(toy(test_double={"source": source, "points": 5.0}))
    assert measured == 0
    assert verdict.lost == {"test_double": 4.0}


def test_an_unexpected_verdict_is_not_stored(judged):
    judged(toy(), is_hoped=False)
    assert judged(toy())[0] == 2


def test_a_verdict_of_an_ended_process_is_not_stored(judged):
    ending = "import os\nos._exit(7)"
    assert judged(toy(), ending)[1].died
    assert judged(toy(), ending)[0] == 2


def test_a_verdict_after_a_time_out_is_not_stored(judged, monkeypatch):
    monkeypatch.setattr(hw_support.attempts, "CPU_SECONDS", 0.1)  # children inherit it
    endless = "def double(x):\n    while True:\n        pass\n"
    assert judged(toy(), endless)[1].lost == {"test_double": 3.0}
    assert judged(toy(), endless)[0] == 1


def test_everything_is_measured_again_on_request(judged):
    judged(toy())
    assert judged(toy(), anew=True)[0] == 2


def test_a_cell_that_raised_stays_at_zero_although_parts_passed(judged):
    raising = {"source": DOUBLE.source + "\nraise ValueError"}
    assert judged(toy(test_double=raising))[1].lost == {"test_double": 3.0}
    measured, verdict = judged(toy(test_double=raising))
    assert measured == 0
    assert verdict.lost == {"test_double": 3.0}


def test_a_score_that_is_not_the_sum_of_parts_is_kept_while_the_cells_points_stay(judged):
    judged(toy(test_triple={"source": "0.5"}))
    measured, verdict = judged(toy(test_triple={"source": "0.5"}))
    assert measured == 0
    assert verdict.lost["test_triple"] == 0.5
    measured, verdict = judged(toy(test_triple={"source": "0.5", "points": 2.0}))
    assert measured == 1
    assert verdict.lost["test_triple"] == 1.5


@pytest.mark.slow
@pytest.mark.parametrize("homework", homeworks())
def test_a_test_cell_gives_the_same_verdict_after_other_cells(homework, while_grading):
    notebook = notebook_of(homework)
    for answer, verdict in judge(notebook, whole_submissions(homework)):
        (together,) = verdict.runs
        own = [  # so that an answer that reads what another one binds runs with that one
            dataclasses.replace(cell, source=answer.cells.get(cell.id, cell.source))
            for cell in notebook.cells.values()
        ]
        handed_in = Notebook(homework, own, notebook.settings)
        for test, result in together.items():
            alone = harness.score_submission(handed_in, {}, tests=[test])[test]
            assert alone.score == result.score, f"{answer}: {test}"
            assert [p.passed for p in alone.parts] == [p.passed for p in result.parts]
