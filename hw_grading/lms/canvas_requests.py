"""Asks Canvas by the library `canvasapi`, with limits of time, and nothing twice by itself."""

import time
from functools import partial
from typing import Any

from canvasapi.exceptions import CanvasException, Forbidden, RateLimitExceeded
from canvasapi.requester import Requester
from requests import RequestException

from hw_support.submission.problems import quoted

NO_ANSWER = (CanvasException, RequestException)
_TIMEOUT_SECONDS = 60  # without a byte
_WAITS = (1, 2, 4, 8, 16, 32)  # seconds, one after the other
_KNOWN = {
    "Unauthorized": "it does not accept the token, or the token's owner may not do this",
    "InvalidAccessToken": "it does not accept the token. Make a new one in Canvas: Account, "
    "Settings, New Access Token",
    "ResourceDoesNotExist": "it has no such course or assignment. Correct c.Canvas in "
    "nbgrader_config.py",
}


class Patient(Requester):
    """Waits when Canvas says that its limit of requests is reached, and then asks again.

    A question that got no answer is asked again too. A change is not: it may have been made.
    """

    def __init__(self, address: str, token: str) -> None:
        super().__init__(address, token)
        self._session.request = partial(self._session.request, timeout=_TIMEOUT_SECONDS)

    def request(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return the answer of Canvas; raise one of `NO_ANSWER`."""
        given = kwargs.pop("_kwargs", None) or []
        for wait in (*_WAITS, None):
            if "file" in kwargs:
                kwargs["file"].seek(0)
            try:
                return super().request(method, *args, _kwargs=[*given], **kwargs)
            except NO_ANSWER as error:
                if wait is None or not (_is_limit(error) or (method == "GET" and _passes(error))):
                    raise
                time.sleep(wait)
        raise AssertionError("the last wait is None")


def _is_limit(error: Exception) -> bool:
    """Whether Canvas did nothing, because there were too many requests."""
    is_named = isinstance(error, Forbidden) and "Rate Limit Exceeded" in str(error)
    return is_named or isinstance(error, RateLimitExceeded)


def _passes(error: Exception) -> bool:
    """Whether it can be another answer the next time: a fault of the server or the connection."""
    return not isinstance(error, CanvasException) or "status code 5" in str(error)


def why_not(error: Exception, token: str) -> str:
    """Return an error in words, without the token."""
    known = _KNOWN.get(type(error).__name__, "")
    text = str(error).replace(token, "…")
    return f"Canvas: {known or type(error).__name__} ({quoted(text, 200)})"
