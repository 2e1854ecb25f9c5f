"""`doctor` says in a line for each thing that it is fine, or what to type."""

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

import hw_support
from hw_support.homeworks import shipped_data
from hw_support.homeworks.shipped_data import ShippedFile
from hw_support.student import doctor

ROOT = Path(__file__).resolve().parents[2]


def test_a_machine_with_everything_is_fine(desk, monkeypatch):
    monkeypatch.setattr(doctor, "_NEWEST_PYTHON", sys.version_info[:2])
    done = desk("doctor")
    assert (done.status, "Everything is fine." in done.said) == (0, True), done.said


@pytest.mark.parametrize("version", [(3, 10, 12), (3, 99, 0)])
def test_a_wrong_python_is_named_with_the_tested_ones(version, desk, monkeypatch):
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(platform, "python_version", lambda: ".".join(map(str, version)))
    done = desk("doctor")
    assert done.status == 1
    assert f"FIX Python {'.'.join(map(str, version))}" in done.said
    assert "tested with Python 3.11 to 3.13" in done.said


@pytest.mark.parametrize(("program_of_kernel", "line"), [
    ("/usr/bin/other", "FIX kernel Jupyter starts another Python, /usr/bin/other Type: "),
    ("python3", "fine kernel python3 is this Python"),
    (sys.executable, "fine kernel python3 is this Python"),
])  # fmt: skip
def test_a_kernel_of_another_python_is_named(program_of_kernel, line, desk, monkeypatch, tmp_path):
    path = tmp_path / "kernels" / "python3"
    path.mkdir(parents=True)
    spec = {"argv": [program_of_kernel, "-f", "{connection_file}"], "display_name": "Python 3"}
    (path / "kernel.json").write_text(json.dumps({**spec, "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert line in desk("doctor").said


def test_a_full_disk_is_named(desk, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=499_999_999))
    done = desk("doctor")
    assert done.status == 1
    assert "FIX disk 499 MB free here Free some space in" in done.said


@pytest.mark.parametrize(("exact", "ranges", "said"), [
    ("numpy=={here} \\\n  --hash=sha256:0\ntqdm==1.0", "numpy>=1.26\ntqdm", "fine the grader's"),
    ("numpy==1.26.0", "numpy>=1.26", "fine not the grader's: numpy {here} (it has 1.26.0) Last "),
    ("numpy=={here}", "numpy>=99", "FIX numpy {here} (>=99 is needed) Type: "),
    ("numpy==1.0 ; python_version < '3'", "numpy", None),
])  # fmt: skip
def test_whether_the_versions_are_the_graders_is_said(
    exact, ranges, said, desk, tmp_path, monkeypatch
):
    here = {"here": metadata.version("numpy")}
    for name, text in (("requirements.txt", exact), ("requirements-ranges.txt", ranges)):
        (tmp_path / name).write_text(text.format(**here))
    monkeypatch.setattr(doctor, "_HOME", tmp_path)
    monkeypatch.setattr(doctor, "_HAS_LISTS", True)
    found = desk("doctor").said.replace("versions ", "")
    assert said.format(**here) in found if said else "grader" not in found


def test_doctor_in_a_notebook_says_all_and_in_grading_nothing(capsys, monkeypatch):
    assert isinstance(hw_support.doctor(), bool)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    capsys.readouterr()
    assert hw_support.doctor()
    assert "doctor: nothing is done while this notebook is graded" in capsys.readouterr().out


def test_doctor_needs_no_package():
    done = subprocess.run(
        [sys.executable, "-S", "-m", "hw_support", "doctor"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    said = " ".join(done.stdout.split())
    assert (done.returncode, done.stderr) == (1, ""), done
    for line in (
        "FIX numpy not installed Type:",
        "FIX tqdm",
        "FIX kernel Jupyter is not installed",
    ):
        assert line in said
    assert '-m pip install "hw-support[notebook]"' in said


@pytest.mark.parametrize("content", [None, b"half"])
def test_a_damaged_or_missing_data_file_is_named(content, desk, tmp_path, monkeypatch):
    path = tmp_path / "digits.npz"
    if content:
        path.write_bytes(content)
    monkeypatch.setattr(shipped_data, "MNIST_FILE", ShippedFile(path, "0" * 64))
    done = desk("doctor")
    assert done.status == 1
    assert f"FIX data {path}" in done.said
    assert doctor.AGAIN in done.said
