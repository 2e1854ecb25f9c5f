"""What `nbgrader_config.py` names: exporters, preprocessors, and how formgrader's pages are mended.

nbgrader calls this room. It may import `batch` and every room below; `reports` is beside it.
"""
