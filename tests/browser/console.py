"""The errors in the browser's console, and which of them are not ours."""

import re
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Error, Page

# Each with the reason why it cannot come from the notebook or from our packages.
NOT_OURS = {
    r"net::ERR_UNKNOWN_URL_SCHEME \(attachment:[\w.]+\)$": (
        "JupyterLab puts a text into the page before it looks up its pictures; a test sees them"
    )
}


@dataclass
class Console:
    """The errors of one page: messages of level "error", and exceptions that nothing caught."""

    errors: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Record the errors of the page from now on."""
        page.on("console", self._message)
        page.on("pageerror", self._exception)

    def _message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _exception(self, error: Error) -> None:
        source = re.search(r"https?://[^\s?:]+(:\d+)?[^\s?:]*", error.stack or "")
        self.errors.append(f"uncaught: {error}" + (f" ({source[0]})" if source else ""))

    def ours(self) -> list[str]:
        """Return the errors that nothing in `NOT_OURS` explains."""
        return [e for e in self.errors if not any(re.search(known, e) for known in NOT_OURS)]
