"""Limits what one submission's texts and pictures on one page cost: many small ones add up."""

import contextlib
import time
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

_KEY = "hw_grading_allowance"  # in the resources of a page
_SECONDS_FOR_A_TAG = 15e-6  # which nbconvert takes when it parses the whole page again


@dataclass
class Allowance:
    """What is left. Beyond it a text is shown as plain text, and a picture is not shown."""

    seconds: float = 10.0  # of computing; an honest submission takes less than one
    pixels: float = 1_000_000_000  # of pictures; a photograph has ten million

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

    def takes(self, pixels: float) -> bool:
        """Count the pixels of a picture, and return whether it may be shown."""
        self.pixels -= pixels
        return self.pixels >= 0

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
