"""Runs one submission: its cells in a sandbox, its test cells in the examiner, under limits.

May import `examiner`, `sandbox` and what is below. It has no code for classes or the gradebook.
"""
