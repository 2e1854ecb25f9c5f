"""The demonstration: release, a sample class, grading, feedback, in a scratch course."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from hw_grading.course import Course, scratch_course
from hw_grading.faults import GraderFault
from hw_grading.plots_page import write_plots_page
from hw_grading.report import print_report
from hw_grading.sample_class import write_class
from hw_grading.sandbox import available, environment
from hw_grading.sandbox.policy import Limits

# The course's own limit is longer: nobody wants to watch an endless loop for a minute.
SECONDS_PER_CELL = 20

# Tells a folder that the demonstration made, and may remove, from any other.
MARKER = ".made-by-the-demonstration"


def demonstrate(folder: Path) -> int:
    """Run the main job from end to end and say which files to open.

    Parameters
    ----------
    folder
        The scratch course. One that an earlier demonstration made is removed first.

    Returns
    -------
    int
        0 if every submission of the sample class was graded.

    Raises
    ------
    FileExistsError
        If the folder holds anything else.
    """
    if (folder / MARKER).exists():
        shutil.rmtree(folder)
    course = scratch_course(folder)
    (folder / MARKER).touch()
    log = folder / "demo.log"

    step(f"A scratch course in {folder}. Generating the release ...")
    must(course, log, "generate_assignment", "hw2")
    submissions = write_class(folder)
    step(f"Grading a sample class of {len(submissions)} submissions, each in a kernel of its own.")
    step("Most of them train the network; one loops for ever until its time is up ...")
    limit = f"--ExecuteSubmission.cpu_seconds_per_cell={SECONDS_PER_CELL}"
    status = course.nbgrader("autograde", "hw2", limit, *sandbox_or_none(), log=log)
    step("Writing feedback, the GSIs' page and the grades ...")
    must(course, log, "generate_feedback", "hw2")
    must(course, log, "export", f"--to={folder / 'grades.csv'}")
    page = write_plots_page(folder, "hw2", folder / "plots.html")

    print()
    print_report(folder, "hw2")
    print()
    feedback = folder / "feedback" / submissions[-1].student / "hw2" / "hw2.html"
    for path, what in [
        (folder / "release" / "hw2" / "hw2.ipynb", "what students get"),
        (page, "what GSIs look at: plots and written answers beside the scores"),
        (feedback, "what one student gets back"),
        (folder / "grades.csv", "the grades"),
        (log, "what nbgrader said"),
    ]:
        print(f"  {what}:\n    {path}")
    jupyter = Path(sys.executable).with_name("jupyter")
    print(f"\n  formgrader: cd {folder} && {jupyter} lab, then the menu Nbgrader → Formgrader")
    return status


def sandbox_or_none() -> list[str]:
    """Return the option without which this machine cannot grade the sample class, and say so."""
    try:
        available.check(environment.shown(1, []), Limits())
    except GraderFault as fault:
        step(f"\n{fault}\n")
        step("The sample class is this project's own, so it is graded without a sandbox here.")
        return ["--ExecuteSubmission.sandbox=none"]
    step("Student code runs in a sandbox: no network, no files but its own, limits on everything.")
    return []


def step(text: str) -> None:
    """Say what comes next, at once."""
    print(text, flush=True)


def must(course: Course, log: Path, *words: str) -> None:
    """Run an nbgrader command that has to succeed."""
    if course.nbgrader(*words, log=log) != 0:
        raise RuntimeError(f"`nbgrader {' '.join(words)}` failed; its messages are in {log}")
