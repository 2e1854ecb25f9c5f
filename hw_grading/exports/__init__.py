"""Export grades into files of learning platforms, into tables, and into a ``results.json``.

May import `plugins`, `term` and every room below them. A file that came from a platform keeps its
rows, columns and dialect. Every total comes from `final_scores`.
"""
