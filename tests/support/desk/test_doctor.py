"""Each line of the doctor says that something is fine, or what to type."""

import json
import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest

import hw_support
from hw_support import integrity, mnist
from hw_support.desk import doctor


@pytest.fixture
def lines(monkeypatch):
    """Run the checks, and return the lines by their subject."""
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return lambda: {line.what: line for line in doctor.look()}


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """A folder of kernels that Jupyter searches first."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    def register(program):
        folder = tmp_path / "kernels" / "python3"
        folder.mkdir(parents=True)
        content = {"argv": [program, "-m", "ipykernel_launcher"], "display_name": "Python 3"}
        (folder / "kernel.json").write_text(json.dumps(content))

    return register


def test_everything_is_fine_where_the_homework_is_installed(lines, capsys):
    assert {line.what for line in lines().values() if line.advice} == set()
    assert doctor.doctor() is True
    assert capsys.readouterr().out.endswith("Everything is fine.\n")


def test_a_missing_package_is_answered_with_what_to_type(lines, monkeypatch):
    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    line = lines()["numpy"]
    assert line.found == "not installed"
    assert line.advice.endswith(f'"{sys.executable}" -m pip install -r requirements.txt')


def test_a_package_that_is_too_old_is_named_with_the_oldest_allowed_version(lines, monkeypatch):
    found = {"numpy": "1.25.2", "matplotlib": "3.10.0"}
    monkeypatch.setattr(doctor.metadata, "version", lambda name: found.get(name, "99"))
    assert "1.26 or later is needed" in lines()["numpy"].advice
    assert lines()["matplotlib"].advice is None


def test_a_python_that_is_too_old_is_named(lines, monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 1))
    assert "Install Python 3.11 or later" in lines()["Python"].advice


def test_damaged_images_are_found(lines, monkeypatch, tmp_path):
    damaged = tmp_path / "images.npz"
    damaged.write_bytes(mnist.MNIST_FILE.path.read_bytes()[:-1])
    file = integrity.ShippedFile(damaged, mnist.MNIST_FILE.sha256, mnist.MNIST_FILE.size, "")
    monkeypatch.setattr(integrity, "SHIPPED", [*integrity.SHIPPED, file])
    assert lines()["data"].found == "images.npz is damaged"
    assert "--force-reinstall" in lines()["data"].advice


def test_every_data_file_of_the_package_is_checked():
    folder = Path(hw_support.__file__).parent / "data"
    data = {path for path in folder.iterdir() if path.name not in ("README.md", ".gitattributes")}
    assert {file.path for file in integrity.SHIPPED} == data


def test_a_kernel_of_another_python_without_the_homework_is_found(lines, kernels, tmp_path):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    kernels(str(program))
    line = lines()["kernel"]
    assert str(program) in line.found
    assert "-m ipykernel install --sys-prefix" in line.advice


def test_a_kernel_of_another_python_with_the_homework_is_fine(lines, kernels, tmp_path):
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    kernels(str(program))
    assert lines()["kernel"].advice is None


def test_a_missing_kernel_is_found(lines, monkeypatch):
    from jupyter_client import kernelspec

    def get(self, name):
        raise kernelspec.NoSuchKernel(name)

    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", get)
    assert lines()["kernel"].advice.endswith("-m ipykernel install --sys-prefix")


def test_a_full_disk_is_found(lines, monkeypatch):
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    line = lines()["disk"]
    assert line.found == "1 MB free here"
    assert "Free some space" in line.advice


def test_the_last_line_says_that_something_needs_a_fix(monkeypatch, capsys):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(doctor, "look", lambda: iter([doctor.Line("disk", "full", "Make room.")]))
    assert doctor.doctor() is False
    assert capsys.readouterr().out == (
        "FIX   disk        full\n      Make room.\nFix each line that begins with FIX, then run "
        "this command again.\n"
    )


def test_nothing_is_checked_in_grading(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.setattr(doctor, "look", lambda: pytest.fail("it looked"))
    assert hw_support.doctor() is True
    assert "the machine is not checked while this notebook is graded" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ((3, 10, 9), "Install Python 3.11 or later"),
        ((3, 11, 0), None),
        ((3, 13, 9), None),
        (
            (3, 14, 0),
            "The homework's packages are tested with Python 3.11 to 3.13; this Python is newer.",
        ),
    ],
)
def test_an_untested_python_is_named(version, said, lines, monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", version)
    advice = doctor._python().advice
    assert advice is None if said is None else said in advice
