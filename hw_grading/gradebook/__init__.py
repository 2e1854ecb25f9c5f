"""What the gradebook holds: results, marks and rubrics, extensions, corrections, final scores.

May import `homework` and `outcome`. nbgrader's tables hold the truth about points. Our own `tables`
are beside them. `results` makes every total that is shown or exported; totals are not stored.
"""
