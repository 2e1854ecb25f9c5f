"""`check` runs a copy as the grader does, and prints what the student has to do."""

import errno
import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from hw_grading.commands.sample import cell_of, replace_in
from hw_support.__main__ import main
from hw_support.desk import check, running
from hw_support.desk.opening import open_notebook

UNTRAINED = ("train", "train_run", "q1_3e_i", "q1_3e_ii", "q1_3e_iii", "q1_3e_iv_experiment")


def untrained(notebook):
    """Empty the cells that train."""
    for name in UNTRAINED:
        cell_of(notebook, name).source = "pass"
    small = "# Sanity check 3"
    notebook.cells = [cell for cell in notebook.cells if not cell.source.startswith(small)]
    return notebook


# -- restoring cells


def test_repair_writes_a_new_file_with_the_instructors_cells(released, answered, desk, tmp_path):
    notebook = answered
    answer = cell_of(notebook, "relu_activation").source
    cell_of(notebook, "test_relu_activation").source = "checks.score = 3"
    notebook.cells.remove(cell_of(notebook, "test_layer_forward"))
    notebook.cells.append(nbformat.from_dict(cell_of(notebook, "setup")))
    notebook.cells[-1]["id"] = "copied"
    done = desk("check", "--repair", "hw2.ipynb", notebook=notebook)
    assert done.returncode == 0, done.stderr
    assert "'test_relu_activation' is locked, but its text was edited" in done.stdout
    assert "'test_layer_forward' was deleted: it was restored" in done.stdout
    repaired = nbformat.read(tmp_path / "hw2-repaired.ipynb", as_version=4)
    nbformat.validate(repaired)
    for name in ("test_relu_activation", "test_layer_forward", "setup"):
        assert cell_of(repaired, name).source == cell_of(released, name).source
        # The copy shows test cells unfolded.
        assert (
            cell_of(repaired, name).metadata.nbgrader == cell_of(released, name).metadata.nbgrader
        )
    assert cell_of(repaired, "relu_activation").source == answer
    assert nbformat.read(tmp_path / "hw2.ipynb", as_version=4) == notebook


@pytest.mark.parametrize(
    ("name", "typed"),
    [("hw2.ipynb", "hw2.ipynb"), ("my hw/hw2 (1).ipynb", '"my hw/hw2 (1).ipynb"')],
)
def test_the_command_for_repairing_can_be_typed_as_it_is_printed(
    answered, release, tmp_path, monkeypatch, name, typed
):
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    cell_of(answered, "setup").source += "\n# mine"
    nbformat.write(answered, name)
    opened = open_notebook(Path(name), [release])
    report = check.Report(opened, [], [], [], 1.0)
    said = "\n".join(check.in_words(report))
    assert f"type:\n  python -m hw_support check --repair {typed}\n" in said


def test_a_deleted_cell_for_an_answer_is_copied_and_not_repaired(answered, release, tmp_path):
    answered.cells.remove(cell_of(answered, "layer_forward"))
    nbformat.write(answered, tmp_path / "hw2.ipynb")
    opened = open_notebook(tmp_path / "hw2.ipynb", [release])
    [change] = opened.changes
    assert change.message.endswith("To get it back, copy it from a new copy of the homework.")
    said = "\n".join(check.in_words(check.Report(opened, [], [], [], 1.0)))
    assert "was deleted" in said
    assert "--repair" not in said


def test_repair_never_overwrites_a_file(answered, desk, tmp_path):
    cell_of(answered, "setup").source = ""
    (tmp_path / "hw2-repaired.ipynb").write_text("mine")
    assert desk("check", "--repair", "hw2.ipynb", notebook=answered).returncode == 0
    assert (tmp_path / "hw2-repaired.ipynb").read_text() == "mine"
    assert (tmp_path / "hw2-repaired-2.ipynb").exists()


def test_repair_of_an_intact_notebook_writes_nothing(released, desk, tmp_path):
    done = desk("check", "--repair", "hw2.ipynb", notebook=released)
    assert "nothing to restore" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["hw2.ipynb"]


def test_a_read_only_folder_is_reported_in_a_sentence(
    answered, tmp_path, release, monkeypatch, capsys
):
    cell_of(answered, "setup").source = ""
    nbformat.write(answered, tmp_path / "hw2.ipynb")

    def refuse(opened):
        raise PermissionError(13, "Permission denied", str(tmp_path / "hw2-repaired.ipynb"))

    monkeypatch.setattr(check, "write_repaired", refuse)
    assert main(["check", "--repair", str(tmp_path / "hw2.ipynb")]) == 2
    assert "hw2-repaired.ipynb cannot be written (Permission denied)" in capsys.readouterr().err


def test_a_file_that_is_not_a_notebook_gives_a_sentence_and_status_2(desk, tmp_path):
    (tmp_path / "hw2.ipynb").write_text("not a notebook")
    done = desk("check", "hw2.ipynb")
    assert done.returncode == 2
    assert done.stderr.startswith("The notebook 'hw2.ipynb' cannot be read: expected JSON")
    assert "Traceback" not in done.stderr


# -- running

pytestmark = pytest.mark.usefixtures("not_grading")


@pytest.mark.slow
def test_the_untouched_release_gives_a_short_list(released, desk, tmp_path):
    before = json.dumps(released)
    done = desk("check", "hw2.ipynb", notebook=released)
    assert done.returncode == 1, done.stderr
    assert "fill it in" in done.stdout
    waiting = re.findall(
        r"^  - (\w+) is not answered yet: (\d+) points?$", done.stdout, re.MULTILINE
    )
    assert ("relu_activation", "3") in waiting
    assert done.stdout.count("\n  - ") == len(waiting) == len({*waiting})  # a line for each
    assert sum(int(points) for _, points in waiting) == 73
    assert "hidden" not in done.stdout.lower()
    assert "What will be different in grading" not in done.stdout
    assert json.dumps(nbformat.read(tmp_path / "hw2.ipynb", as_version=4)) == before
    assert [path.name for path in tmp_path.iterdir()] == ["hw2.ipynb"]


@pytest.mark.slow
def test_check_of_a_half_done_notebook_lists_everything_wrong(answered, desk, tmp_path):
    notebook = untrained(answered)
    replace_in(notebook, "relu_activation", "np.maximum(s, 0)", "np.minimum(s, 0)")
    cell_of(notebook, "q1_3c").source += "\nnp.loadtxt('notes.txt')\nprint(learning_rate)"
    cell_of(notebook, "q1_3b_iii").source = "YOUR ANSWER HERE"
    (tmp_path / "notes.txt").write_text("1 2 3\n")
    done = desk("check", "hw2.ipynb", notebook=notebook)
    assert done.returncode == 1, done.stderr
    said = " ".join(done.stdout.split())
    assert "test_relu_activation, values: out[0, 0]: expected 0, got -2 (4 of 4" in said
    assert "Cell q1_3c reads the file 'notes.txt', which the grader does not have" in said
    assert "write q1_3b_iii" in said
    assert "no plot in q1_3e_i" in said
    assert "passing" not in said


@pytest.mark.slow
@pytest.mark.smoke
def test_a_finished_notebook_leaves_nothing_to_do(answered, tmp_path, release):
    nbformat.write(answered, tmp_path / "hw2.ipynb")
    report = check.check(open_notebook(tmp_path / "hw2.ipynb", [release]))
    assert report.surprises == []
    assert report.changes == []
    assert [cell.to_do for cell in report.checked if cell.to_do] == []
    assert report.fine
    lines = " ".join(" ".join(check.in_words(report)).split())
    assert "This command found nothing left to do." in lines
    assert "You have 73 of the 73 points of the tests. Grading runs the same tests" in lines


@pytest.mark.slow
def test_the_optional_function_may_be_left_out(released, answered, tmp_path, release):
    notebook = untrained(answered)
    stub = cell_of(released, "finite_difference_checker").source
    cell_of(notebook, "finite_difference_checker").source = stub
    nbformat.write(notebook, tmp_path / "hw2.ipynb")
    report = check.check(open_notebook(tmp_path / "hw2.ipynb", [release]))
    parts = [part for cell in report.checked for part in cell.run.parts]
    failed = [part.what for part in parts if not part.passed]
    assert "the derivative of a sum of cubes" in failed
    assert not any("cubes" in line for line in check._failures(report.checked))


@pytest.mark.slow
def test_a_dead_kernel_is_reported_along_with_the_rest(answered, desk):
    cell_of(answered, "q1_3a").source = "import os; os._exit(1)"
    done = desk("check", "hw2.ipynb", notebook=untrained(answered))
    assert done.returncode == 1, done.stderr
    said = " ".join(done.stdout.split())
    assert "The kernel died in cell q1_3a" in said
    assert "Tests that reported nothing here give 10 more." in said
    points = re.findall(r"of the ([\d.]+) points of|give ([\d.]+) more|up to ([\d.]+) points", said)
    assert sum(float("".join(found)) for found in points) == 100
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("last", [False, True])
def test_a_cell_that_ends_the_kernel_is_named(answered, tmp_path, release, last):
    notebook = untrained(answered)
    place = len(notebook.cells) if last else notebook.cells.index(cell_of(notebook, "setup")) + 1
    notebook.cells.insert(place, nbformat.v4.new_code_cell("exit()"))
    nbformat.write(notebook, tmp_path / "hw2.ipynb")
    report = check.check(open_notebook(tmp_path / "hw2.ipynb", [release]))
    said = "exit() or quit() ended the kernel in the cell that begins with 'exit()'."
    assert any(said in sentence for sentence in report.surprises)


@pytest.mark.slow
def test_an_endless_loop_is_interrupted_and_the_other_cells_run(answered, tmp_path, release):
    notebook = untrained(answered)
    cell_of(notebook, "q1_3a").source = "while True: pass"
    ran = running.run_from_the_top(notebook, lambda cell: 3.0)
    place = notebook.cells.index(cell_of(notebook, "q1_3a"))
    assert ran.stopped is None
    (error,) = running.errors_of(ran.notebook.cells[place])
    assert running.error_in_words(error).startswith("KeyboardInterrupt: this command stopped it")
    assert 3 <= ran.cells[place].seconds < 60
    assert max(ran.cells) > place


@pytest.mark.slow
def test_a_missing_kernel_is_a_sentence(answered, tmp_path, monkeypatch, capsys):
    nbformat.write(answered, tmp_path / "hw2.ipynb")
    monkeypatch.setattr(running, "KERNEL", "no-such-kernel")
    assert main(["check", str(tmp_path / "hw2.ipynb")]) == 2
    assert "The notebook runs in the kernel no-such-kernel" in capsys.readouterr().err


def test_a_full_disk_is_a_sentence(answered, tmp_path, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "/full/folder")

    path = tmp_path / "hw2.ipynb"
    nbformat.write(answered, path)
    before = path.read_bytes()
    monkeypatch.setattr(tempfile, "mkdtemp", full)
    assert main(["check", str(path)]) == 2
    said = capsys.readouterr().err
    assert "/full/folder cannot be used (No space left on device)" in said
    assert path.read_bytes() == before


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise on Windows")
def test_ctrl_c_stops_at_once_and_leaves_no_kernel(answered, tmp_path):
    notebook = untrained(answered)
    began = tmp_path / "began"
    cell_of(notebook, "q1_3a").source = (
        f"import os, pathlib, time\npathlib.Path({str(began)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(100)"
    )
    nbformat.write(notebook, tmp_path / "hw2.ipynb")
    before = (tmp_path / "hw2.ipynb").read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-m", "hw_support", "check", str(tmp_path / "hw2.ipynb")],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (began.exists() and began.read_text()):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().splitlines()[-1] == "Stopped. Your notebook is unchanged."
    assert (tmp_path / "hw2.ipynb").read_bytes() == before
    assert not psutil.pid_exists(int(began.read_text()))


@pytest.mark.slow
def test_a_notebook_in_a_read_only_folder_is_checked(answered, desk, tmp_path):
    nbformat.write(untrained(answered), tmp_path / "hw2.ipynb")
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        done = desk("check", "hw2.ipynb")
    finally:
        tmp_path.chmod(0o700)
    assert "tests    points" in done.stdout


@pytest.mark.slow
def test_zip_checks_first_and_packs_in_any_case(answered, desk, tmp_path):
    done = desk("zip", "hw2.ipynb", notebook=untrained(answered))
    assert done.returncode == 1, done.stderr
    assert "tests    points" in done.stdout
    assert (tmp_path / "3031234567_hw2.zip").exists()
    assert "SHA-256" in done.stdout
    assert "You can submit again" in done.stdout
