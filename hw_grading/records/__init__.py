"""Reads what a course holds: gradebook, graded notebooks, downloads, the instructor's notebook.

May import `pages`, `homework` and `outcome`. What students wrote is read here and made harmless.
"""
