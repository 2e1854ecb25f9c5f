"""However a run ends, it leaves nothing in the folder for temporary files."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from toy_course import ASSIGNMENT, ToyCourse, environment

from hw_grading.batch.locks import course_locked, work_folder


def left_in(place: Path) -> list[str]:
    return sorted(path.name for path in place.glob("hw-*"))


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
        while not any(place.rglob("hw-kernel-*/shared")):
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


def test_only_folders_of_a_killed_run_are_removed(place: Path) -> None:
    (place / "hw-run-dead" / "hw-kernel-x").mkdir(parents=True)
    (place / "elsewhere").mkdir()
    (place / "hw-run-link").symlink_to(place / "elsewhere")
    with work_folder(place, "hw-run-", 60) as first:
        assert (place / "hw-run-dead").exists()  # it is young: a process may be about to lock it
        with work_folder(place, "hw-run-"):
            assert not (place / "hw-run-dead").exists()
            assert first.exists()
            assert (place / "elsewhere").exists()
    assert left_in(place) == ["hw-run-link"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes folders of others")
def test_folders_of_others_are_left_alone(place: Path) -> None:
    (place / "hw-run-theirs").mkdir()
    os.chown(place / "hw-run-theirs", 12345, 12345)
    with work_folder(place, "hw-run-"):
        pass
    assert left_in(place) == ["hw-run-theirs"]


def test_an_error_within_a_run_is_not_told_as_a_locked_course(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), course_locked(tmp_path, tmp_path / "autograded"):
        raise BlockingIOError
