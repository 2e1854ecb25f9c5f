"""The GSI's desk: grading a class question by question, in the browser.

The desk is a server extension of Jupyter Server. The same code runs by itself (``python -m
hw_grading desk``), inside ``jupyter lab`` and behind JupyterHub, with their logins. May import
`analysis.words`, `gradebook`, `rendering`, `homework` and `outcome`. This package cleans or escapes
everything that students wrote before a page gets it.
"""

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server which application to load."""
    from hw_grading.desk.app import DeskApp

    return [{"module": "hw_grading.desk", "app": DeskApp}]
