"""Export grades into files of learning platforms, into tables, and into a ``results.json``.

May import `plugins`, `term` and every room below them. Exports fill in a file that came from a
platform: its rows, columns and dialect stay, and only grades are written into it. Every total comes
from `final_scores`.
"""
