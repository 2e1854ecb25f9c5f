"""Grades a class: many submissions at once, here or on other machines; nothing is run twice.

May import `run` and every room below; nbgrader's converter is handed to it by `plugins`.
"""
