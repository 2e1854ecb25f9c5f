"""What an instructor asks about a graded class.

Its report, its mistakes, the class's code, what a regrade changed, why a student lost points.

May import `plugins` and every package below. The command line calls it.
"""
