"""Commands for those who maintain the shipped data: ``python -m tools.NAME``."""
