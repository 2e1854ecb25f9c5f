"""After a kill at a random moment, the same command loses nothing and does nothing twice.

`make test` kills a few times; HW_KILLS says how often otherwise.
"""

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Callable

import psutil
import pytest
from test_whole_class import SLOW, all_scores, events, grading, ran
from toy_course import ToyCourse

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("HW_KILLS", "3"))
STUDENTS = 8
SECONDS_BEFORE_A_KILL = (1.5, 6.0)


def hand_in(course: ToyCourse) -> list[str]:
    """Hand in notebooks that take half a second; some are wrong."""
    students = [f"student-{n:02}" for n in range(STUDENTS)]
    for n, student in enumerate(students):
        right = SLOW.format(0.5)
        course.submit(student, course.answer(double=right if n % 3 else right.replace("2 *", "")))
    return students


def below(pid: int, *, recursive: bool) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=recursive)
    return []


def a_worker(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [p for p in below(process.pid, recursive=True) if "hw_grading.grade.workers" in words(p)]


def a_sandboxed_process(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [p for p in below(process.pid, recursive=True) if "answering.kernels" in words(p)]


def an_examiner(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [p for p in a_worker(process) if not below(p.pid, recursive=False)]


def the_coordinator(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [psutil.Process(process.pid)] if process.poll() is None else []


def words(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


VICTIMS: list[Callable[[subprocess.Popen[bytes]], list[psutil.Process]]] = [
    the_coordinator,
    a_worker,
    a_sandboxed_process,
    an_examiner,
]


def test_nothing_is_lost_after_kills_at_random_moments(course: ToyCourse) -> None:
    students = hand_in(course)
    quiet = course.grade()
    assert quiet.returncode == 0, quiet.stderr
    expected = all_scores(course, students)
    draw = random.Random(20221004)
    for number in range(KILLS):
        victims = VICTIMS[number % len(VICTIMS)]
        forget(course)
        with grading(course, "--force", "--WholeClass.workers=2") as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(draw.uniform(*SECONDS_BEFORE_A_KILL))
            for victim in draw.sample(found := victims(process), min(1, len(found))):
                with contextlib.suppress(psutil.NoSuchProcess):
                    victim.kill()
            process.wait(120)
        again = course.grade()
        said = (course.root / "output.txt").read_text()[-3000:]
        assert again.returncode == 0, (victims.__name__, again.stderr, said)
        assert all_scores(course, students) == expected, (victims.__name__, said)
        runs = {*ran(course, to_a_result=True).values()}
        assert runs == {1}, (victims.__name__, events(course))


def forget(course: ToyCourse) -> None:
    """Remove everything that earlier runs made."""
    for made in ("grading", "autograded"):
        shutil.rmtree(course.root / made, ignore_errors=True)
