"""Reads a course's data: gradebook, graded notebooks, downloads, the instructor's notebook.

May import `pages`, `homework` and `outcome`. This package reads what students wrote and makes it
harmless. `database` creates and writes our own tables in the gradebook; packages above declare
theirs.
"""
