"""The reports on a graded class: the table, the page of plots, the statistics.

May import `rubrics`, `final_scores`, `records`, `pages`, `homework` and `outcome`; it runs nothing
and writes only its own pages.
"""
