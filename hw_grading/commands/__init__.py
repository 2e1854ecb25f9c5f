"""The staff's own commands: demonstration, release, a new homework, extensions, corrections.

May import every room below. In `hw_grading`, only `cli` and `doctor` import this room.
"""
