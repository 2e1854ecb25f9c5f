"""What stops a command at the desk."""


class DeskError(RuntimeError):
    """Nothing can be done; the message says why, and what to do."""
