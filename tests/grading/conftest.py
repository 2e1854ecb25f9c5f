"""Fixtures of several modules."""

from postgresql import postgresql
from toy_course import course, generated_course

__all__ = ["course", "generated_course", "postgresql"]  # used by pytest, by name
