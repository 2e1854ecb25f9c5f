"""Manual grading: rubrics, the marks of each answer and their graders, and the history of both.

May import `records`, `homework` and `outcome`. The gradebook is authoritative for scores. Each save
is one transaction that writes nbgrader's own score and comment and this package's tables,
``desk_*`` in the same database. If these tables are lost, no score is lost.
"""
