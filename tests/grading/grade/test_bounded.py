"""A notebook file is read within limits of memory and time, and afterwards these are as before."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hw_grading.grade import bounded
from hw_grading.grade.bounded import read_within_limits
from hw_support.checks.time_limit import TimeLimitReached


def written(folder: Path, **metadata: object) -> Path:
    cell = {"cell_type": "code", "source": "x", "metadata": metadata}
    path = folder / "hw2.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": [cell]}))
    return path


def test_a_file_within_the_limits_is_read(tmp_path: Path) -> None:
    notebook = read_within_limits(written(tmp_path))
    assert not isinstance(notebook, str)
    assert [cell.source for cell in notebook.cells] == ["x"]
    assert "there is no such file" in read_within_limits(tmp_path / "other.ipynb")


# In a process of its own: one that has had much memory takes no more.
READ = """
import resource, sys
from pathlib import Path
from hw_grading.grade import bounded

path, before = Path(sys.argv[1]), resource.getrlimit(resource.RLIMIT_AS)
bounded.MEMORY_MB, usual = 60, bounded.MEMORY_MB
print(bounded.read_within_limits(path))
bounded.MEMORY_MB = usual
print(type(bounded.read_within_limits(path)).__name__)
print(resource.getrlimit(resource.RLIMIT_AS) == before)
"""


def test_a_small_file_that_takes_much_memory_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, many=[{str(n): n} for n in range(400_000)])
    command = [sys.executable, "-c", READ, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    refused, *then = done.stdout.splitlines()
    assert "takes at most 60 MB of memory" in refused
    assert then == ["NotebookNode", "True"]


def test_a_file_that_takes_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_long(path: Path) -> None:
        raise TimeLimitReached

    monkeypatch.setattr(bounded, "read_submission", take_long)
    assert "takes at most 30 s of CPU time" in read_within_limits(written(tmp_path))
