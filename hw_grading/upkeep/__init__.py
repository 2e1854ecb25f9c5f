"""Maintain a course: check the machine, back up.

May import `batch` and every room below.
"""
