"""The released notebook, the solved one, and the command line."""

import copy
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from hw_grading.commands.sample import solved
from hw_support.__main__ import main
from hw_support.submission.released import FOLDER, read_release

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def _notebooks():
    source = nbformat.read(ROOT / "source" / "hw2" / "hw2.ipynb", as_version=4)
    released = nbformat.read(ROOT / "release" / "hw2" / "hw2.ipynb", as_version=4)
    return released, solved(released, source)


@pytest.fixture
def released(_notebooks):
    return copy.deepcopy(_notebooks[0])


@pytest.fixture
def answered(_notebooks):
    """The released notebook with all of the instructor's answers, without outputs."""
    return copy.deepcopy(_notebooks[1])


@pytest.fixture(scope="session")
def release():
    return read_release(FOLDER / "hw2.json")


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    """Run a command of ``python -m hw_support`` in a student's folder."""
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)

    def run(*words, notebook=None):
        if notebook is not None:
            nbformat.write(notebook, tmp_path / "hw2.ipynb")
        status = main(words)
        stdout, stderr = capsys.readouterr()
        return SimpleNamespace(returncode=status, stdout=stdout, stderr=stderr)

    return run
