"""Export grades into files of learning platforms and into tables.

May import `term` and every room below it. A file that came from a platform keeps its
columns and their order. Every total comes from `final_scores`.
"""
