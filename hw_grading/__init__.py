"""The grader: it belongs to staff and is never given to students.

Any course of nbgrader uses it by two lines at the top of its ``nbgrader_config.py``::

    from hw_grading import configure
    configure(get_config())
"""

from hw_grading.configuration import configure

__all__ = ["DISTRIBUTION", "configure"]

DISTRIBUTION = "hw-grading"  # as pyproject.toml names this project
