"""Colours code in a limited time. The time of pygments grows with the square of some texts."""

from collections.abc import Callable

from markupsafe import Markup
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

from hw_support.time_limit import TimeLimitReached, time_limit

LONGEST_CODE = 60_000  # characters that are shown of one cell
_SECONDS = 1.0  # computing time for one cell; an ordinary one takes a few milliseconds


def colour_python(code: str, seconds: float = _SECONDS, *, nowrap: bool = False) -> Markup | None:
    """Return Python code as HTML in pygments' classes; None if it fails or takes too long."""
    lexer, formatter = PythonLexer(stripnl=False, ensurenl=False), HtmlFormatter(nowrap=nowrap)
    return in_time(lambda code: str(highlight(code, lexer, formatter)), code, seconds)


def in_time(colour: Callable[[str], str], code: str, seconds: float = _SECONDS) -> Markup | None:
    """Return the HTML that `colour` makes of code; None if it fails or takes too long."""
    try:
        with time_limit(seconds, 10 * seconds):
            return Markup(colour(code))
    except (Exception, TimeLimitReached):
        return None
