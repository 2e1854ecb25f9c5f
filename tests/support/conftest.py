"""The students' package is tested as it runs for students, not as in grading."""

import json
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from small import small_description

from hw_support.__main__ import main
from hw_support.submission.released import ENDING

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def not_grading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    """Run ``python -m hw_support`` for a small homework, in a student's folder."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    text = json.dumps(small_description())
    (tmp_path / f"small{ENDING}").write_text(text, encoding="utf-8")

    def run(*words, notebook=None):
        if notebook is not None:
            nbformat.write(notebook, tmp_path / "small.ipynb")
        status = main(words)
        stdout, stderr = capsys.readouterr()
        said = " ".join(stdout.split())
        return SimpleNamespace(status=status, said=said, error=" ".join(stderr.split()))

    return run
