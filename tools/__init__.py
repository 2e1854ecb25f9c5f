"""Commands for maintaining the shipped data: ``python -m tools.NAME``."""
