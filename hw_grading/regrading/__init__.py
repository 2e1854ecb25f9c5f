"""After grading: what changed when a class was graded again, and why a point was lost.

May import `plugins`, `reports` and every room below; it is called by the command line.
"""
