"""Keeps a course in order: looks at the machine, backs up, restores, moves the gradebook.

May import `batch` and every room below. What PostgreSQL's own programs do, they do here too.
"""
