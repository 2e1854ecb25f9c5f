"""The GSI's desk: a class graded question by question, in the browser.

A server extension of Jupyter Server, so the same code runs by itself
(``python -m hw_grading desk``), inside ``jupyter lab`` and behind JupyterHub, with their logins.
May import `rubrics`, `records`, `pages`, `homework` and `outcome`. Everything that students wrote
is made harmless here before a page gets it.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server what to load."""
    from hw_grading.desk.app import DeskApp

    return [{"module": "hw_grading.desk", "app": DeskApp}]
