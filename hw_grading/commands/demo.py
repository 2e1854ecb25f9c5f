"""The demonstration: release each homework and grade a sample class in a scratch course."""

import functools
import shutil
import sys
from pathlib import Path

from hw_grading.analysis.report import report
from hw_grading.commands.sample import write_class
from hw_grading.gradebook.writing import say
from hw_grading.homework.course import REPOSITORY, scratch_course
from hw_grading.inside.isolation import Limits
from hw_grading.outcome import GraderFault
from hw_grading.sandbox import environment

# The course's own limit is a minute, which is too long to watch an endless loop.
SECONDS_PER_CELL = 20

step = functools.partial(print, flush=True)  # prints the next step at once

# Marks a folder that the demonstration made and may remove.
MARKER = ".made-by-the-demonstration"


def demonstrate(folder: Path) -> int:
    """Run the whole process once, and print which files to open; return 1 if grading failed.

    An earlier demonstration's folder is removed first. Any other folder raises `FileExistsError`.
    """
    if not (REPOSITORY / "staff").is_dir():
        raise RuntimeError(
            "The demonstration grades the homeworks of this project's repository, which is not "
            "here. Clone the repository, and type there: make demo"
        )
    if (folder / MARKER).exists():
        shutil.rmtree(folder)
    course = scratch_course(folder)
    (folder / MARKER).touch()
    log = folder / "demo.log"

    names = course.homeworks()
    step(f"Making a scratch course in {folder}, with {' and '.join(names)}.")
    sandbox = sandbox_or_none()
    shown = []
    status = 0
    for name in names:
        step(f"\n{name}: generating the release ...")
        course.must("generate_assignment", name, log=log)
        submissions = write_class(folder, name)
        step(f"Grading a sample class of {len(submissions)}, each submission in its own kernel ...")
        limit = f"--ExecuteSubmission.cpu_seconds_per_cell={SECONDS_PER_CELL}"
        graded = course.nbgrader("autograde", name, limit, *sandbox, log=log)
        status = status or int(graded != 0)
        step("Writing feedback ...")
        course.must("generate_feedback", name, log=log)
        print()
        say(report(folder, name))
        feedback = course.feedback(submissions[-1].student, name) / f"{name}.html"
        shown += [
            (course.release(name) / f"{name}.ipynb", f"the students' notebook of {name}"),
            (feedback, f"the feedback on {name} for one student"),
        ]
    course.must("export", f"--to={folder / 'grades.csv'}", log=log)
    shown += [(folder / "grades.csv", "the grades"), (log, "nbgrader's log")]
    print("\nThis was made:")
    print(*(f"  {what}:\n    {path}" for path, what in shown), sep="\n")
    print("\nTo grade plots and written answers by hand, type:")
    print(f"  {Path(sys.executable).parent}/hw-grading --course {folder} desk {names[-1]}")
    return status


def sandbox_or_none() -> list[str]:
    """Return the option that this machine needs to grade the sample class, and report it."""
    try:
        environment.check(environment.what_to_show(1, []), Limits())
    except GraderFault as fault:
        step(f"\n{fault}\n")
        step("This project wrote the sample class, so it is graded without a sandbox here.")
        return ["--ExecuteSubmission.sandbox=none"]
    step(
        "Student code runs in a sandbox, without network or files of others, and with limits on "
        "CPU time, memory and disk."
    )
    return []
