"""The classes that `nbgrader_config.py` names: exporters, preprocessors, and formgrader's fixes.

nbgrader calls this package. It may import `batch` and every package below.
"""
