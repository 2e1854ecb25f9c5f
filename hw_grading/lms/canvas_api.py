"""The requests to Canvas, by the library `canvasapi`: with limits of time, and nothing twice.

The token goes to the address of the settings alone, and is in no message.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from canvasapi.exceptions import CanvasException, Forbidden, RateLimitExceeded
from canvasapi.paginated_list import PaginatedList
from canvasapi.requester import Requester
from canvasapi.upload import Uploader
from canvasapi.util import combine_kwargs
from requests import RequestException

from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

_NO_ANSWER = (CanvasException, RequestException)
_TIMEOUT_SECONDS = 60  # without a byte
_WAITS = (1, 2, 4, 8, 16, 32)  # seconds, one after the other
_MOST_LOOKS, _SECONDS = 300, 2  # at a job of Canvas, and between two looks
_KNOWN = {
    "Unauthorized": "it does not accept the token, or the token's owner may not do this",
    "InvalidAccessToken": "it does not accept the token. Make a new one in Canvas: Account, "
    "Settings, New Access Token",
    "ResourceDoesNotExist": "it has no such course or assignment. Correct c.Canvas in "
    "nbgrader_config.py",
    "ConnectionError": "it hung up, or cannot be reached",
    "ConnectTimeout": "it cannot be reached",
    "ReadTimeout": "it does not answer",
}


class _Patient(Requester):
    """Waits when Canvas says that its limit of requests is reached, and then asks again.

    A question that got no answer is asked again too. A change is not: it may have been made.
    """

    def __init__(self, address: str, token: str) -> None:
        super().__init__(address, token)
        self._session.request = partial(self._session.request, timeout=_TIMEOUT_SECONDS)

    def request(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return the answer of Canvas; raise one of `_NO_ANSWER`."""
        given = kwargs.pop("_kwargs", None) or []
        for wait in (*_WAITS, None):
            if "file" in kwargs:
                kwargs["file"].seek(0)
            try:
                return super().request(method, *args, _kwargs=[*given], **kwargs)
            except _NO_ANSWER as error:
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


class CanvasApi:
    """The requests about one assignment. They raise `UserError` without the answer they need."""

    def __init__(self, address: str, token: str, course_id: int, number: int) -> None:
        self._address, self._token = address, token
        self._requester = _Patient(address, token)
        self._path = f"courses/{course_id}/assignments/{number}"

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Raise `UserError` in place of an error of `canvasapi`, and at an unknown answer."""
        try:
            yield
        except _NO_ANSWER as error:
            known = _KNOWN.get(type(error).__name__, type(error).__name__)
            text = str(error).replace(self._token, "…")
            raise UserError(f"Canvas: {known} ({quoted(text, 200)})") from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"Canvas gave an answer that is not as documented ({quoted(error, 120)}). Is "
                "c.Canvas.address what your browser shows?"
            ) from None

    def assignment(self) -> dict[str, Any]:
        """Return what Canvas says of the assignment."""
        with self.answering():
            return dict(self._requester.request("GET", self._path).json())

    def submissions(self, include: list[str]) -> Iterator[Mapping[str, Any]]:
        """Yield what Canvas says of each student's submission, page by page, maybe twice."""
        data, path = combine_kwargs(include=include), f"{self._path}/submissions"
        # Not as objects of `canvasapi`, which tries to read a time in each text.
        of = (lambda _, about: about, self._requester, "GET", path)
        yield from PaginatedList(*of, _kwargs=data)

    def file(self, url: str) -> bytes:
        """Return a file of a submission."""
        with self.answering():
            own = url.startswith(f"{self._address}/")
            content: bytes = self._requester.request("GET", _url=url, use_auth=own).content
            return content

    def give_points(self, points: Mapping[int, str]) -> None:
        """Set the points of users, by their numbers, and wait until Canvas has done it."""
        data = combine_kwargs(grade_data={user: {"posted_grade": p} for user, p in points.items()})
        with self.answering():
            where = f"{self._path}/submissions/update_grades"
            job = self._requester.request("POST", where, _kwargs=data).json()
            for _ in range(_MOST_LOOKS):
                if job["workflow_state"] in ("completed", "failed"):
                    break
                time.sleep(_SECONDS)
                job = self._requester.request("GET", f"progress/{job['id']}").json()
        if job["workflow_state"] != "completed":
            said = quoted(job.get("message") or "", 200)
            raise UserError(f"Canvas' job for the points is {job['workflow_state']} ({said})")

    def give_page(self, user: int, page: Path, comment: str, attempt: int) -> None:
        """Send a page as the file of a comment on an attempt."""
        # `upload_comment` of canvasapi names no attempt: all its comments are on the first one.
        where = f"{self._path}/submissions/{user}"
        with self.answering():
            is_there, file = Uploader(self._requester, f"{where}/comments/files", page).start()
            if not is_there:
                raise UserError("Canvas did not take the page")
            about = {"text_comment": comment, "file_ids": [file["id"]], "attempt": attempt}
            self._requester.request("PUT", where, _kwargs=combine_kwargs(comment=about))
