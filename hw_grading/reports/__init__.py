"""The reports on a graded class: the table, the statistics, similar answers.

May import `rubrics`, `final_scores`, `records`, `pages`, `homework` and `outcome`. This package
runs no submission, and writes only its own pages.
"""
