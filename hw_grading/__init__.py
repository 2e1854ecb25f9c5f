"""The grader: it belongs to staff and is never given to students.

Any course of nbgrader uses it by two lines at the top of its ``nbgrader_config.py``::

    from hw_grading import configure
    configure(get_config())

What ``hw-grading new`` writes also stops nbgrader if this package is gone.
"""

import shlex
from pathlib import Path

from hw_grading.configuration import configure

__all__ = ["DISTRIBUTION", "REQUIREMENTS", "STUDENTS_DISTRIBUTION", "configure"]

DISTRIBUTION = "hw-grading"  # as pyproject.toml names the grader
STUDENTS_DISTRIBUTION = "hw-support"  # as hw_support/pyproject.toml names what students install
_LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
# What pip installs if a package is missing: the locked ones; outside the repository those that the
# installed grader names.
REQUIREMENTS = f"-r {shlex.quote(str(_LOCK))}" if _LOCK.is_file() else DISTRIBUTION
