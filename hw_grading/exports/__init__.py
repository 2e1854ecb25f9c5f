"""Grades go out: into files of learning platforms, into tables, into a ``results.json``.

May import `plugins`, `term` and every room below them. A file that came from a platform is filled
in: its rows, columns and dialect stay, and only grades are written into it. Every total is that of
`final_scores`.
"""
