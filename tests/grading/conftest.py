"""Fixtures of several modules."""

import gc
from collections.abc import Iterator

import pytest
from postgresql import database, postgresql
from toy_course import course, generated_course

__all__ = ["course", "database", "generated_course", "postgresql"]  # used by pytest, by name


@pytest.fixture
def no_gc_callbacks() -> Iterator[None]:
    """Remove Hypothesis' callback: an exception in it, such as our time limit, is ignored."""
    callbacks, gc.callbacks[:] = gc.callbacks[:], []
    yield
    gc.callbacks[:] = callbacks
