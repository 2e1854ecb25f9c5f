"""The student's commands for checking and handing in: `python -m hw_support`."""
