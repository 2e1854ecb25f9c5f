"""Grades a class: many submissions at once, here or on other machines. None is run twice.

May import `run` and every room below. `plugins` passes nbgrader's converter to it.
"""
