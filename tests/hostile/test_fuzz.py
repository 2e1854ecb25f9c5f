"""A few seconds of each fuzzer; longer runs are in `make soak`."""

import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 5


@pytest.mark.slow
@pytest.mark.parametrize("fuzzer", ["fuzz_wire.py", "fuzz_notebook.py"])
def test_a_fuzzer_finds_nothing_in_a_few_seconds(fuzzer: str) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this system and Python")
    path = Path(__file__).with_name(fuzzer)
    command = [sys.executable, str(path), "--seconds", str(SECONDS)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "stat::number_of_executed_units" in run.stderr
