"""Limits the computing time for one submission's texts on one page: many small texts add up."""

import contextlib
import time
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

_KEY = "hw_grading_allowance"  # in the resources of a page
_SECONDS_FOR_A_TAG = 15e-6  # which nbconvert takes when it parses the whole page again


@dataclass
class Allowance:
    """Computing time that is left. A text for which none is left is shown as plain text."""

    seconds: float = 10.0  # an honest submission takes less than one

    @property
    def spent(self) -> bool:
        """Whether no time is left."""
        return self.seconds <= 0

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Count the computing time of a block."""
        began = time.thread_time()
        try:
            yield
        finally:
            self.seconds -= time.thread_time() - began

    def count_tags(self, html: str) -> str:
        """Count the time that nbconvert will take for some HTML, and return the HTML."""
        self.seconds -= html.count("<") * _SECONDS_FOR_A_TAG
        return html


def allowance_of(resources: MutableMapping[str, Any] | None) -> Allowance:
    """Return the time that is left for a page, given nbconvert's resources for it."""
    if resources is None:
        return Allowance()
    kept: Allowance = resources.setdefault(_KEY, Allowance())
    return kept
