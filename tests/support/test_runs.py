"""A saved run comes back as it was, and each failure has a reason."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from pickleshare import PickleShareDB

from hw_support import RunError, load_run, save_run

VALUES = {"step_size": 0.1, "weights": [np.array([[1.0, -2.0]])], "test_loss": [0.69, 0.5]}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Path("saved_runs")


def test_a_run_comes_back_after_a_restart_and_is_named(folder, capsys):
    values = {**VALUES, "test_loss": [0.69, 0.5]}
    assert save_run("step 0.1", **values) == folder / "step 0.1"
    values["test_loss"].append(7.0)
    run = load_run("step 0.1")
    assert (run.step_size, run.test_loss) == (0.1, [0.69, 0.5])
    np.testing.assert_array_equal(run.weights[0], VALUES["weights"][0])
    assert capsys.readouterr().out.startswith("Run 'step 0.1', saved 20")
    assert PickleShareDB(folder)["step 0.1"]["step_size"] == 0.1  # as students know it
    save_run("step 0.1", step_size=5)
    assert load_run("step 0.1").step_size == 5
    assert [path.name for path in folder.iterdir()] == ["step 0.1"]


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(7), b"\x80\x05cnone\nx\n."])
def test_a_missing_or_damaged_run_is_named_with_the_others(content, folder):
    save_run("good", **VALUES)
    with pytest.raises(RunError, match=r"no run 'bad' in saved_runs, .* Saved runs: 'good'"):
        load_run("bad")
    (folder / "bad").write_bytes(content)
    with pytest.raises(RunError, match="or it is damaged"):
        load_run("bad")


@pytest.mark.parametrize("name", ["", "../up", "x" * 101])
def test_a_name_that_is_no_files_name_is_refused(name, folder):
    with pytest.raises(RunError, match="a run's name has letters"):
        save_run(name, **VALUES)
    assert not folder.exists()


def test_a_run_that_cannot_be_written_leaves_the_earlier_one(folder):
    save_run("a", step_size=1)
    with pytest.raises(RunError, match="run 'a' was not saved"):
        save_run("a", step_size=lambda: None)  # no pickle has a function without a name
    assert load_run("a").step_size == 1
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_in_grading_nothing_is_written_or_read(folder, monkeypatch, capsys):
    save_run("a", **VALUES)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert save_run("b", **VALUES) is None
    assert "run 'b' is not written" in capsys.readouterr().out
    with pytest.raises(RunError, match="does not work while a notebook is graded"):
        load_run("a")
    assert [path.name for path in folder.iterdir()] == ["a"]
