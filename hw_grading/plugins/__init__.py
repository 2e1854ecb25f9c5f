"""What `nbgrader_config.py` names: exporters, steps of a release, and formgrader's fixes.

nbgrader calls this package. It may import `grade` and every package below.
"""
