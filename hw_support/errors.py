"""The base of all errors for people; reading it needs Python alone."""


class UserError(Exception):
    """The text says what is wrong, and what to do.

    A command prints the text. Any other exception is a bug, and is shown with its traceback.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
