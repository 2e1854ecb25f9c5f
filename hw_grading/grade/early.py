"""Starts a grading's fork servers before the course is read: what they import takes longest.

A command that grades one notebook starts them first, and imports nbgrader meanwhile. They get the
homework as soon as it is known.
"""

import sys

from hw_grading.examiner import client as examiner
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox import kernel_process


def begin() -> None:
    """Start this process's fork servers, for a course that has the default settings.

    One that does not suit the course is ended, and another one started.
    """
    if sys.platform == "linux":
        examiner.begin_early()
        kernel_process.begin_early(RunSettings().blas_threads)
