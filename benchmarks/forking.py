"""Measure what forked kernels save in a class, against kernels that start from nothing."""

import statistics
import tempfile
from pathlib import Path

from benchmarks.classes import answers, make_course, seconds_of_grading

REPEATS, STUDENTS = 3, 40
KERNELS = "--ExecuteSubmission.fork_kernels={}"


def run() -> None:
    """Print the seconds of pairs of whole commands, and the median of what is saved."""
    shares = []
    with tempfile.TemporaryDirectory() as folder:
        course = make_course(Path(folder) / "course", answers(), STUDENTS)
        for _ in range(REPEATS):
            forked, started = (
                seconds_of_grading(course, KERNELS.format(fork)) for fork in (True, False)
            )
            shares.append(1 - forked / started)
            print(
                f"{STUDENTS} submissions without training: forked {forked:.1f} s, "
                f"from nothing {started:.1f} s",
                flush=True,
            )
    print(f"forking saves {statistics.median(shares):.0%} (median of {REPEATS} pairs)")
