"""What a student gets in the end: points of tests and people, corrections for all, less lateness.

Everything that shows or exports a total asks `final_scores`. Totals are not stored: stored are
extensions and corrections, in tables of our own, ``hw_grading_*`` in the gradebook. May import
`records`, `homework` and `outcome`.
"""
