"""Reads what a course holds: gradebook, graded notebooks, downloads, the instructor's notebook.

May import `pages`, `homework` and `outcome`. What students wrote is read here and made harmless.
Our own tables in the gradebook are made and written by `database`; rooms above declare theirs.
"""
