"""One toy course is generated; tests that grade get copies."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgresql import database, postgresql
from toy_course import ToyCourse

__all__ = ["database", "postgresql"]  # used by pytest, by name


@pytest.fixture(scope="session")
def generated_course(tmp_path_factory: pytest.TempPathFactory) -> ToyCourse:
    return ToyCourse.make(tmp_path_factory.mktemp("generated") / "course")


@pytest.fixture
def course(generated_course: ToyCourse, tmp_path: Path) -> ToyCourse:
    return generated_course.copied(tmp_path / "course")


@pytest.fixture
def no_gc_callbacks() -> Iterator[None]:
    """Remove Hypothesis' callback: an exception in it, such as our time limit, is ignored."""
    callbacks, gc.callbacks[:] = gc.callbacks[:], []
    yield
    gc.callbacks[:] = callbacks
