"""A result on disk is complete or missing, whatever happens while it is written."""

import errno
import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hw_grading.grade.kept import ResultStore
from hw_grading.outcome import CellFault, CellScore, Outcome, PartResult
from hw_support.submission.problems import Kind, Problem, Severity

KEY = "ab" + "0" * 62
OTHER = "cd" + "1" * 62


def outcome(text: str = "{}") -> Outcome:
    parts = (PartResult("q1", "shape", 1.0, 0.5, False, "expected 3", True),)
    problems = (Problem(Kind.KERNEL, Severity.FAILED, "It failed in part.", None),)
    scores, faults = (CellScore("q1", 1.0, 0.5),), (CellFault("q3", "no module", True),)
    return Outcome(text, problems, scores, parts, faults, "7", 1.5, 0.5)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_stored_result_is_read_back_unchanged(tmp_path: Path) -> None:
    ResultStore(tmp_path).put(KEY, outcome("größer 😀"))
    assert ResultStore(tmp_path).get(KEY) == outcome("größer 😀")
    assert ResultStore(tmp_path).get(OTHER) is None


def test_every_damaged_byte_is_detected_or_has_no_effect(tmp_path: Path) -> None:
    results = ResultStore(tmp_path)
    results.put(KEY, outcome())
    [path] = files(tmp_path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert results.get(KEY) in (None, outcome())


@pytest.mark.parametrize("content", ["3", '{"notebook": "x", "strange": 1}', "{}"])
def test_a_file_with_other_content_counts_as_missing(tmp_path: Path, content: str) -> None:
    results = ResultStore(tmp_path)
    results.put(KEY, outcome())
    files(tmp_path)[0].write_bytes(gzip.compress(content.encode()))
    assert results.get(KEY) is None


def test_a_full_disk_raises_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    results = ResultStore(tmp_path)
    with pytest.raises(OSError, match="No space"):
        results.put(KEY, outcome())
    assert results.get(KEY) is None
    assert not files(tmp_path)


def test_results_and_remains_that_no_run_has_used_are_removed(tmp_path: Path) -> None:
    results = ResultStore(tmp_path)
    results.put(KEY, outcome())
    results.put(OTHER, outcome())
    left = files(tmp_path)[0].parent / ".tmp_left"
    left.write_text("half")
    for path in files(tmp_path):
        os.utime(path, (1000, 1000))
    assert results.get(OTHER) is not None  # so it was used last
    results.tidy()
    assert results.get(KEY) is None
    assert results.get(OTHER) is not None
    assert len(files(tmp_path)) == 1


WRITER = """
import sys
from pathlib import Path
from hw_grading.grade.kept import ResultStore
from hw_grading.outcome import Outcome
results = ResultStore(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    for number in range(20):
        results.put(f"{number:02x}" + "0" * 62, Outcome("x" * 200_000))
"""


@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_whole_results_only(tmp_path: Path) -> None:
    for attempt in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout
            writer.stdout.readline()
            time.sleep(0.02 + 0.03 * attempt)
            writer.send_signal(signal.SIGKILL)
        for path in tmp_path.glob("*/*.gz"):
            key = path.parent.name + path.name.removesuffix(".json.gz")
            assert ResultStore(tmp_path).get(key) == Outcome("x" * 200_000)
