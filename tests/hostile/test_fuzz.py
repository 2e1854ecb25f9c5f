"""A few seconds of each fuzzer, and the inputs that longer runs (`make soak`) have found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from hw_support.submission.file import read_submission

SECONDS = 5


@pytest.mark.slow
@pytest.mark.parametrize("fuzzer", ["fuzz_wire.py", "fuzz_notebook.py", "fuzz_questions.py"])
def test_a_fuzzer_finds_nothing_in_a_few_seconds(fuzzer: str) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this system and Python")
    path = Path(__file__).with_name(fuzzer)
    command = [sys.executable, str(path), "--seconds", str(SECONDS)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "stat::number_of_executed_units" in run.stderr


CELL = {"cell_type": "code", "source": "x", "metadata": {}, "outputs": []}
FOUND: dict[str, dict[str, Any]] = {
    "a kernel without all its names": {"metadata": {"kernelspec": {"name": "python3"}}},
    "a kernel that is none": {"metadata": {"kernelspec": [1]}},
    "a count below 0": {"cells": [{**CELL, "execution_count": -1}]},
    "a heading of a billion levels": {
        "nbformat": 3,
        "metadata": {},
        "worksheets": [{"cells": [{"cell_type": "heading", "level": 2**40, "source": "x"}]}],
        "cells": None,
    },
}


@pytest.mark.parametrize("found", FOUND.values(), ids=FOUND.keys())
@pytest.mark.parametrize("keep_outputs", [False, True])
def test_what_a_fuzzer_found_is_read(
    found: dict[str, Any], keep_outputs: bool, tmp_path: Path
) -> None:
    path = tmp_path / "hw2.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": [CELL], **found}))
    nb, _ = read_submission(path, keep_outputs=keep_outputs)
    nbformat.validate(nb)
    assert nb.cells
