"""Mends how formgrader writes its own pages: nothing of an address becomes HTML.

nbgrader 0.9 prints parts of a page's address into the page without escaping them, so that a link in
a student's answer could run a script in a grader's browser. `nbgrader_config.py`, which formgrader
reads when it starts, calls `escape`; there is no setting for it.
"""

from __future__ import annotations

import sys
from functools import partial

_MODULE = "nbgrader.server_extensions.formgrader.formgrader"


def escape() -> None:
    """Let formgrader's templates escape what they print, if formgrader runs in this process."""
    formgrader = sys.modules.get(_MODULE)
    if formgrader is not None and not isinstance(formgrader.Environment, partial):
        formgrader.Environment = partial(formgrader.Environment, autoescape=True)  # type: ignore[attr-defined]
