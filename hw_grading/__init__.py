"""The grader: it belongs to staff and is never given to students."""

DISTRIBUTION = "hw-grading"  # as pyproject.toml names this project
