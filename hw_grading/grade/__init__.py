"""Grades a class, many submissions at once, on this machine or others; results are cached.

The way of a submission: `submissions` → `read` → `job` → `run/` → `save`. `pipeline` is the loop.
May import `run`, `gradebook` and what is below them.
"""
