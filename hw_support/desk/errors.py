"""The error that stops a student's command."""


class DeskError(RuntimeError):
    """The command cannot go on; the message says why and what you should do."""
