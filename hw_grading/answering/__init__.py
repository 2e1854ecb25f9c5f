"""The part of the grader that runs beside a student's code, in the sandbox.

These files are the only ones of the grader that the sandbox shows, under the name `answering`. They
may import `hw_support` and nothing else of ours. A student's code can change everything that they
do. So no decision is made here, nothing here is secret, and the receiver checks everything that
they send (`wire`, which both ends use).
"""

import contextlib
import sys
from collections.abc import Iterable


def preload(modules: Iterable[str]) -> None:
    """Call the function `preload` of those imported modules that have one, before a fork."""
    for name in modules:
        with contextlib.suppress(Exception):  # code that needs it later raises the error again
            sys.modules[name].preload()
