"""Regrades a class and shows what changed; explains why a student lost points.

May import `plugins`, `reports` and every package below. The command line calls it.
"""
