"""Grading by hand: rubrics, what was given for each answer, by whom, and the history of both.

May import `records`, `homework` and `outcome`. The gradebook is the truth about scores: each save
writes nbgrader's own score and comment and the tables of this room, ``desk_*`` in the same
database, in one transaction. Without these tables no score is lost.
"""
