"""However a run ends, it leaves nothing in the folder for temporary files."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from toy_course import ASSIGNMENT, ToyCourse, environment

from hw_grading.batch.grading import course_locked


def left_in(place: Path) -> list[str]:
    return sorted(path.name for path in place.glob("hw-*"))


def has_kernel(place: Path) -> bool:
    """Return whether a kernel has its folder; others may vanish meanwhile."""
    try:
        return any(place.rglob("hw-kernel-*/shared"))
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["processes", "serial"])
def test_a_run_that_is_stopped_leaves_no_folders(
    executor: str, course: ToyCourse, place: Path
) -> None:
    for student in ("first", "second"):
        course.submit(student, course.answer(double="import time\ntime.sleep(60)"))
    with open(course.root / "output.txt", "w") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT),
                f"--WholeClass.executor={executor}",
            ],
            cwd=course.root,
            env={**environment(), "TMPDIR": str(place)},
            stdout=output,
            stderr=output,
        )
    try:
        end = time.monotonic() + 100
        while not has_kernel(place):
            assert time.monotonic() < end, (course.root / "output.txt").read_text()
            time.sleep(0.1)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.wait(150)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, (course.root / "output.txt").read_text()
    assert left_in(place) == []


def test_an_error_within_a_run_is_not_told_as_a_locked_course(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), course_locked(tmp_path, tmp_path / "autograded"):
        raise BlockingIOError
