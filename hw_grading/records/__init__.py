"""Reads what grading left: the gradebook, graded notebooks, the instructor's notebook.

May import `pages` and `homework`. What students wrote is read here and made harmless.
"""
