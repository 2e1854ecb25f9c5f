"""Checks your machine and course, one thing after another, and says what to type."""

from hw_grading.upkeep.doctor.looking import SETTINGS, look

__all__ = ["SETTINGS", "look"]
