"""The staff's own commands: demonstration, release, a new homework.

May import every room below. In `hw_grading`, only `verbs` imports this room.
"""
