"""A student's final score: points of tests and people, corrections for all, minus lateness.

All code that shows or exports a total gets it from `final_scores`. Totals are not stored. Only
extensions and corrections are stored, in our own tables, ``hw_grading_*`` in the gradebook.
May import `records`, `homework` and `outcome`.
"""
