"""Reads what grading left: the gradebook, graded notebooks, the instructor's notebook.

May import `pages`, `homework` and `outcome`. What students wrote is read here and made harmless.
"""
