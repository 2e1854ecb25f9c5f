"""The student's commands: doctor, check, pdf and zip."""


class DeskError(RuntimeError):
    """The command cannot go on; the message says why and what you should do."""
