"""After grading: what changed when a class was regraded, and why a point was lost.

May import `plugins`, `reports` and every package below. The command line calls it.
"""
