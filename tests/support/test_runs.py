import dataclasses
import os
import pickle
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from hw_support import (
    RunDamagedError,
    RunNotAvailableError,
    RunNotFoundError,
    RunNotSavedError,
    load_run,
    save_run,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "saved_runs"


@pytest.fixture
def values():
    return {
        "step_size": 0.1,
        "weight_matrices": [np.array([[1.0, -2.0], [0.25, 1e-300]]), np.array([[3.0], [4.0]])],
        "biases": [np.array([[5.0, 6.0]]), np.array([[7.0]])],
        "training_loss": [0.69, 0.5, 0.25],
        "training_acc": [0.5, 0.75, 0.9],
        "test_loss": [0.7, 0.55, np.float64(0.3)],
        "test_acc": [0.5, 0.7, 0.98316],
    }


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_saved_run_is_loaded_bit_for_bit(folder, values):
    assert save_run("step 0.1", **values, folder=folder) == folder / "step 0.1"
    run = load_run("step 0.1", folder=folder)
    for key, value in values.items():
        found = getattr(run, key)
        if key in ("weight_matrices", "biases"):
            assert all(np.array_equal(a, b) for a, b in zip(found, value, strict=True))
        else:
            assert found == value
    assert names_in(folder) == ["step 0.1"]


def test_a_run_survives_into_a_new_process(folder, values):
    save_run("a", **values, folder=folder)
    code = f"from hw_support import load_run; print(load_run('a', folder={str(folder)!r}).test_acc)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "[0.5, 0.7, 0.98316]"


def test_loading_prints_one_line_with_step_size_iterations_accuracy_and_time(
    folder, values, capsys
):
    save_run("a", **values, folder=folder)
    run = load_run("a", folder=folder)
    made_at = run.made_at.isoformat(sep=" ", timespec="seconds")
    line = f"Run 'a': step size 0.1, 3 iterations, last test accuracy 0.9832, made {made_at}"
    assert capsys.readouterr().out == line + "\n"
    assert str(run) == line
    assert repr(run) == f"<{line}>"


def test_the_time_of_saving_has_a_time_zone_and_is_now(folder, values):
    save_run("a", **values, folder=folder)
    made_at = load_run("a", folder=folder).made_at
    assert made_at.tzinfo is not None
    assert abs(datetime.now(UTC) - made_at) < timedelta(minutes=1)


def test_later_updates_in_place_do_not_change_what_was_saved_or_loaded(folder, values):
    save_run("a", **values, folder=folder)
    values["weight_matrices"][0] -= 100
    values["test_acc"].append(0.0)
    first = load_run("a", folder=folder)
    first.weight_matrices[0] -= 100
    second = load_run("a", folder=folder)
    assert second.weight_matrices[0][0, 0] == 1.0
    assert len(second.test_acc) == 3


def test_two_saves_within_a_second_give_the_second(folder, values):
    save_run("a", **values, folder=folder)
    load_run("a", folder=folder)
    save_run("a", **{**values, "step_size": 10}, folder=folder)
    assert load_run("a", folder=folder).step_size == 10


def test_a_run_is_frozen(folder, values):
    save_run("a", **values, folder=folder)
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_run("a", folder=folder).step_size = 1.0


def test_nan_losses_are_kept(folder, values):
    save_run("a", **{**values, "test_loss": [0.7, np.inf, np.nan]}, folder=folder)
    assert str(load_run("a", folder=folder).test_loss) == "[0.7, inf, nan]"


def test_a_missing_run_lists_the_saved_runs_and_how_to_make_one(folder, values):
    save_run("first", **values, folder=folder)
    save_run("second", **values, folder=folder)
    (folder / ".third.1234.tmp").write_bytes(b"a save that was killed")
    with pytest.raises(RunNotFoundError) as caught:
        load_run("third", folder=folder)
    assert "Saved runs: 'first', 'second'." in str(caught.value)
    assert "save_run('third', step_size=..., ...)" in str(caught.value)


def test_looking_for_a_run_makes_no_folder(folder):
    with pytest.raises(RunNotFoundError, match="Saved runs: none yet"):
        load_run("a", folder=folder)
    assert not folder.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        pickle.dumps([1, 2, 3]),
        pickle.dumps({"name": "a"}),
        pickle.dumps({1: 2}),
    ],
)
def test_a_damaged_file_is_told_apart_from_a_missing_one(folder, content):
    folder.mkdir()
    (folder / "a").write_bytes(content)
    with pytest.raises(RunDamagedError, match="is damaged or is not a saved run"):
        load_run("a", folder=folder)


def test_a_file_cut_at_any_length_is_damaged(folder, values):
    path = save_run("a", **values, folder=folder)
    content = path.read_bytes()
    for keep in range(0, len(content), 37):
        path.write_bytes(content[:keep])
        with pytest.raises(RunDamagedError):
            load_run("a", folder=folder)


@pytest.mark.parametrize("key", ["training_loss", "training_acc", "test_loss", "test_acc"])
def test_histories_of_different_lengths_are_refused_with_their_lengths(folder, values, key):
    values[key] = values[key][:2]
    with pytest.raises(ValueError, match=f"one entry per iteration in each.*{key} has 2"):
        save_run("a", **values, folder=folder)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"training_loss": [], "training_acc": [], "test_loss": [], "test_acc": []},
            "training_loss has 0",
        ),
        ({"test_acc": ["0.5", "0.7", "0.9"]}, "test_acc: expected a list of numbers"),
        ({"test_acc": 0.5}, r"test_acc: expected a list of numbers, got shape \(\)"),
        ({"biases": []}, "expected 2 biases, one per weight matrix, got 0"),
        ({"biases": [[5.0, 6.0], [7.0]]}, r"biases\[0\]: expected 2 dimensions, got shape \(2,\)"),
    ],
)
def test_values_that_are_not_one_run_are_refused(folder, values, change, problem):
    with pytest.raises(ValueError, match=problem):
        save_run("a", **{**values, **change}, folder=folder)
    assert not folder.exists()


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "../a", ".a", "a.", "a ", "a\n", "a:b", "~", "a" * 101, 3],
)
def test_a_name_that_is_not_a_simple_file_name_is_refused(folder, values, name):
    with pytest.raises(ValueError, match="expected a simple file name"):
        save_run(name, **values, folder=folder)
    with pytest.raises(ValueError, match="expected a simple file name"):
        load_run(name, folder=folder)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["a", "step_size=0.1", "run 2", "1e-3", "größe", "a" * 100])
def test_ordinary_names_are_accepted(folder, values, name):
    save_run(name, **values, folder=folder)
    assert load_run(name, folder=folder).name == name


def failing_dump(value, stream, protocol):
    """As on a full disk: some bytes are written, then an error is raised."""
    stream.write(b"\x80\x02half of a")
    raise OSError(28, "No space left on device")


def interrupted_dump(value, stream, protocol):
    stream.write(b"\x80\x02half of a")
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("dump", "error"),
    [(failing_dump, RunNotSavedError), (interrupted_dump, KeyboardInterrupt)],
)
def test_a_save_that_fails_half_way_keeps_the_earlier_run(folder, values, monkeypatch, dump, error):
    save_run("a", **values, folder=folder)
    with monkeypatch.context() as patch:
        patch.setattr("pickleshare.pickle.dump", dump)
        with pytest.raises(error):
            save_run("a", **{**values, "step_size": 10}, folder=folder)
    assert load_run("a", folder=folder).step_size == 0.1
    assert names_in(folder) == ["a"]


def test_a_full_disk_is_reported_with_reason_and_remedy(folder, values, monkeypatch):
    monkeypatch.setattr("pickleshare.pickle.dump", failing_dump)
    with pytest.raises(RunNotSavedError, match=r"No space left on device.*choose another folder"):
        save_run("a", **values, folder=folder)


def test_a_process_killed_while_saving_keeps_the_earlier_run(folder, values):
    save_run("a", **values, folder=folder)
    code = (
        "import os, pickleshare\n"
        "from hw_support import save_run\n"
        "def dump(value, stream, protocol):\n"
        "    stream.write(b'half'); stream.flush(); os._exit(9)\n"
        "pickleshare.pickle.dump = dump\n"
        "save_run('a', step_size=10, weight_matrices=[], biases=[], training_loss=[0],\n"
        f"    training_acc=[0], test_loss=[0], test_acc=[0], folder={str(folder)!r})\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 9
    assert load_run("a", folder=folder).step_size == 0.1
    (left_over,) = folder.glob(".*.tmp")
    an_hour_and_more_ago = time.time() - 3700
    os.utime(left_over, (an_hour_and_more_ago, an_hour_and_more_ago))
    save_run("b", **values, folder=folder)
    assert names_in(folder) == ["a", "b"]


def test_a_file_in_place_of_the_folder_is_reported(folder, values):
    folder.write_text("in the way")
    with pytest.raises(RunNotSavedError, match="was not saved"):
        save_run("a", **values, folder=folder)
    with pytest.raises(RunNotFoundError, match="none yet"):
        load_run("a", folder=folder)
    assert folder.read_text() == "in the way"


def test_while_grading_no_saved_run_is_read(folder, values, monkeypatch, capsys):
    save_run("a", **values, folder=folder)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.setattr("pickleshare.pickle.loads", lambda *_: pytest.fail("the disk was read"))
    monkeypatch.setattr(Path, "is_file", lambda *_: pytest.fail("the disk was touched"))
    with pytest.raises(
        RunNotAvailableError, match="load_run does not work while a notebook is graded"
    ):
        load_run("a", folder=folder)
    assert capsys.readouterr().out == ""


def test_while_grading_nothing_is_written_and_one_line_says_so(folder, values, monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert save_run("a", **values, folder=folder) is None
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 1
    assert "saving is off while a notebook is graded" in printed.out
    assert printed.err == ""
    assert not folder.exists()


def test_validating_is_not_grading(folder, values, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    save_run("a", **values, folder=folder)
    assert load_run("a", folder=folder).step_size == 0.1
