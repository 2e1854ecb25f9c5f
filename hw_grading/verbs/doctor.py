"""Check whether this machine and this course are ready for grading.

Each line reports that something is fine, or tells you what to type.
"""

import argparse

from hw_grading.verbs import CANNOT, FINE, TO_DO

NEEDS_COURSE = TAKES_HOMEWORK = False


def run(chosen: argparse.Namespace) -> int:
    """Print a line for each check; return `CANNOT` if the settings could not be read."""
    from hw_grading.upkeep.doctor import SETTINGS, look
    from hw_support.failures import visible

    status = FINE
    for line in look(chosen.course):
        print(visible(str(line)), flush=True)
        if line.advice is not None:
            status = CANNOT if line.what == SETTINGS or status == CANNOT else TO_DO
    to_do = "Fix each line that begins with FIX, then run this command again."
    print("Everything is fine." if status == FINE else to_do)
    return status
