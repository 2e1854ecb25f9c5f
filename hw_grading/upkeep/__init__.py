"""Maintain a course: check the machine, back up, restore, move the gradebook.

May import `batch` and every room below. PostgreSQL's own programs dump and load its databases.
"""
