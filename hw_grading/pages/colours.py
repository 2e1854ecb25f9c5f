"""Colours code in a limited time. The time of pygments grows with the square of some texts."""

from collections.abc import Callable

from markupsafe import Markup

from hw_support.time_limit import TimeLimitReached, time_limit

LONGEST_CODE = 60_000  # characters that are shown of one cell
_SECONDS = 1.0  # computing time for one cell; an ordinary one takes a few milliseconds


def in_time(colour: Callable[[str], str], code: str, seconds: float = _SECONDS) -> Markup | None:
    """Return the HTML that `colour` makes of code; None if it fails or takes too long."""
    try:
        with time_limit(seconds, 10 * seconds):
            return Markup(colour(code))
    except (Exception, TimeLimitReached):
        return None
