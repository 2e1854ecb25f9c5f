"""Grades a class: many submissions at once, on this machine or others. Results are cached.

May import `run` and every package below. `plugins` passes nbgrader's converter to this package.
"""
