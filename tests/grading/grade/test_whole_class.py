"""`nbgrader autograde` on a class: scores are the same with every executor, and nothing is lost."""

import contextlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from distributed import LocalCluster
from toy_course import ASSIGNMENT, FULL_MARKS, ToyCourse, environment, run

pytestmark = pytest.mark.slow

SLOW = "import time\ntime.sleep({})\ndef double(x):\n    return 2 * x"


def events(course: ToyCourse) -> list[dict[str, Any]]:
    path = course.root / "grading" / "hw2.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def ran(course: ToyCourse, *, to_a_result: bool = False) -> Counter[str]:
    """Return how often each student's cells were run; `to_a_result` counts runs with a result."""
    ends = events(course)
    return Counter(
        end["student"] for end in ends if not (to_a_result and end["end"] == "not graded")
    )


def hand_in(course: ToyCourse, number: int = 6) -> list[str]:
    """Hand in right, half right and failing notebooks."""
    kinds = [
        course.answered,
        course.answer(double="def double(x):\n    return 3 * x"),
        course.answer(triple="import os\nos._exit(1)"),
        course.answer(double="import os\nos._exit(1)"),
    ]
    students = [f"student-{n:02}" for n in range(number)]
    for n, student in enumerate(students):
        course.submit(student, nbformat.writes(kinds[n % len(kinds)]))
    return students


def all_scores(course: ToyCourse, students: list[str]) -> dict[str, dict[str, float | None]]:
    return {student: course.scores(student) for student in students}


@contextmanager
def grading(
    course: ToyCourse, *arguments: str, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the running command, which is ended with the block at the latest."""
    with open(course.root / "output.txt", "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT, *arguments],
            cwd=course.root,
            env={**environment(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until_ended(course: ToyCourse, students: int) -> None:
    """Wait until this many submissions were run."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if (course.root / "grading" / "hw2.jsonl").exists() and len(ran(course)) >= students:
            return
        time.sleep(0.02)
    raise AssertionError((course.root / "output.txt").read_text())


def test_scores_are_the_same_whoever_runs_the_submissions(course: ToyCourse) -> None:
    students = hand_in(course)
    course.submit("unreadable", b"no notebook")
    unreadable = "unreadable: The notebook 'hw2.ipynb' cannot be read: expected JSON"
    serial = course.grade("--WholeClass.executor=serial")
    assert serial.returncode == 1, serial.stderr
    assert unreadable in serial.stderr
    expected = all_scores(course, students)
    assert expected["student-00"]["test_double"] == 2
    assert {ran(course)[student] for student in students} == {1}

    parallel = course.grade("--force", "--WholeClass.workers=3", "--WholeClass.rerun=True")
    assert parallel.returncode == 1, parallel.stderr
    assert unreadable in parallel.stderr
    assert all_scores(course, students) == expected
    assert {ran(course)[student] for student in students} == {2}
    assert "6 graded, 2 of them with problems, 1 not graded" in parallel.stderr

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        where = f"--WholeClass.scheduler_address={cluster.scheduler_address}"
        executor = "--WholeClass.executor=dask"
        by_dask = course.grade("--force", "--WholeClass.rerun=True", executor, where)
    assert by_dask.returncode == 1, by_dask.stderr
    assert unreadable in by_dask.stderr
    assert all_scores(course, students) == expected
    assert {ran(course)[student] for student in students} == {3}
    assert set(course.scores("unreadable").values()) <= {None}


def test_force_saves_results_again_and_runs_only_changed_ones(course: ToyCourse) -> None:
    students = hand_in(course)
    assert course.grade().returncode == 0
    before = len(events(course))
    assert course.grade().returncode == 0
    assert len(events(course)) == before
    expected = all_scores(course, students)
    (course.root / "gradebook.db").rename(course.root / "old.db")
    shutil.copy(course.root / "old.db", course.root / "gradebook.db")
    with sqlite3.connect(course.root / "gradebook.db") as gradebook:
        gradebook.execute("update grade set auto_score = -1")
    again = course.grade("--force")
    assert again.returncode == 0, again.stderr
    assert all_scores(course, students) == expected
    assert set(ran(course).values()) == {1}
    assert "6 from an earlier run" in again.stderr
    course.submit("student-01", nbformat.writes(course.answered))
    assert course.grade("--force").returncode == 0
    assert [student for student, times in ran(course).items() if times == 2] == ["student-01"]
    assert sum(filter(None, course.test_scores("student-01").values())) == FULL_MARKS


def test_a_changed_hidden_test_or_limit_runs_everybody(course: ToyCourse) -> None:
    hand_in(course, 2)
    course.grade()
    source = course.root / "source" / ASSIGNMENT / "hw2.ipynb"
    source.write_text(source.read_text().replace("triple(5) == 15", "triple(6) == 18"))
    assert run(course.root, "generate_assignment", ASSIGNMENT, "--force").returncode == 0
    assert course.grade("--force").returncode == 0
    assert set(ran(course).values()) == {2}
    course.grade("--force", "--ExecuteSubmission.memory_mb=2500")
    assert set(ran(course).values()) == {3}


@pytest.mark.parametrize("executor", ["processes", "serial"])
def test_an_interrupt_keeps_results_leaves_nothing_and_says_how_to_continue(
    executor: str, course: ToyCourse, place: Path
) -> None:
    students = hand_in(course, 8)
    course.submit("zz-long", nbformat.writes(course.answer(double=SLOW.format(300))))
    with grading(course, f"--WholeClass.executor={executor}", TMPDIR=str(place)) as process:
        until_ended(course, 5)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(150) == 130
    assert "zz-long" not in ran(course)
    said = (course.root / "output.txt").read_text()
    assert "To grade the rest: nbgrader autograde hw2" in said
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    assert sorted(path.name for path in place.glob("hw-*")) == []
    course.submit("zz-long", nbformat.writes(course.answered))
    finished = [end["student"] for end in events(course)]
    assert course.grade().returncode == 0
    assert finished
    assert all(ran(course)[student] == 1 for student in finished)
    assert all(course.scores(student) for student in students)


@pytest.mark.smoke
def test_after_a_killed_worker_the_same_command_grades_the_rest(course: ToyCourse) -> None:
    students = hand_in(course, 6)
    course.submit("aa-slow", nbformat.writes(course.answer(double=SLOW.format(10))))
    with grading(course, "--WholeClass.workers=2") as process:
        until_ended(course, 1)
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):  # it has ended
                if "hw_grading.grade.workers" in child.cmdline():
                    child.kill()
        assert process.wait(120) == 1, (course.root / "output.txt").read_text()
    said = (course.root / "output.txt").read_text()
    assert "NOT GRADED: aa-slow: the process that ran it died" in said
    assert "Traceback" not in said
    assert course.grade().returncode == 0
    assert all(course.scores(student) for student in students)
    assert sum(filter(None, course.test_scores("aa-slow").values())) == FULL_MARKS


def test_grading_waits_for_a_gradebook_in_use(course: ToyCourse) -> None:
    students = hand_in(course, 3)
    with grading(course) as process:
        until_ended(course, 1)
        with sqlite3.connect(course.root / "gradebook.db", timeout=120) as gradebook:
            gradebook.execute("begin exclusive")
            time.sleep(8)
        gradebook.close()
        assert process.wait(120) == 0, (course.root / "output.txt").read_text()
    assert all(course.scores(student) for student in students)
