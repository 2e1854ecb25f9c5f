"""What people read when a class is graded: the table and the page of plots.

May import `final_scores`, `records`, `pages`, `homework` and `outcome`; it runs nothing and changes
nothing.
"""
