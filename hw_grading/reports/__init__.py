"""What people read when a class is graded: the table, the page of plots, the statistics.

May import `rubrics`, `final_scores`, `records`, `pages`, `homework` and `outcome`; it runs nothing
and changes nothing but the pages that it writes.
"""
