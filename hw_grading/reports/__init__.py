"""What people read when a class is graded: the table and the page of plots.

May import `records`, `pages` and `homework`; it runs nothing and changes nothing.
"""
