"""The staff's own commands: release, a new homework, sample class, extensions, corrections.

May import every package below. In `hw_grading`, only `cli` and `doctor` import this package.
"""
