"""Fixtures of several modules."""

import pytest
from postgresql import postgresql
from toy_course import course, generated_course

from hw_support.fresh import SEED_VARIABLE

__all__ = ["course", "generated_course", "postgresql"]  # used by pytest, by name


@pytest.fixture
def while_grading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set variables as a grading process has them; restore them after the test."""
    monkeypatch.setenv(SEED_VARIABLE, "0")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
