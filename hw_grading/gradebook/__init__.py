"""What the gradebook holds: results, marks and rubrics, extensions, corrections, final scores.

May import `homework` and `outcome`. nbgrader's tables hold the truth about points. `database`
creates and writes our own tables beside them. `final_scores` makes every total that is shown or
exported; totals are not stored.
"""
