"""The common parts of all handlers: logins, threads, headers, error messages."""

import asyncio
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from hw_grading.desk.desks import Desks, NotThere
from hw_grading.gradebook.comments import CommentChanged
from hw_grading.gradebook.model import Conflict, Refused, RubricChanged, expect_name
from hw_grading.gradebook.tables import MAX_IN_A_NAME
from hw_support.checks.failures import visible
from hw_support.submission.file import UserError

NAME = "hw_grading_desk"  # name of the extension, and of its entries in the server's settings
PLACE = "hw-grading"
COOKIE = "hw-grading-grader"  # holds the grader's name
# JupyterLab shows formgrader, and the desk behind it, in a frame. On a hub others have servers too.
_FRAMES = "'none'" if "JUPYTERHUB_SERVICE_PREFIX" in os.environ else "'self'"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    f"frame-ancestors {_FRAMES}"
)
_ANONYMOUS = re.compile(r"[0-9a-f]{32}")  # random user name of a server with a shared token

_Value = TypeVar("_Value")


class DeskHandler(JupyterHandler):
    """Base class of all handlers: threads, the grader's name, error messages."""

    def set_default_headers(self) -> None:
        """Allow only the page's own scripts, whatever the server allows on its other pages."""
        super().set_default_headers()
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")  # not for other sites
        self.set_header("Cache-Control", "no-store")

    @property
    def desks(self) -> Desks:
        """The desks of this server."""
        return cast(Desks, self.settings[f"{NAME}_desks"])

    @property
    def base(self) -> str:
        """The desk's address on this server."""
        return url_path_join(self.base_url, PLACE) + "/"

    def show(self, template: str, **named: Any) -> None:
        """Send a page, made from one of the desk's templates."""
        made = self.settings[f"{NAME}_jinja2_env"].get_template(template)
        self.finish(made.render(base=self.base, **named))

    async def in_thread(
        self, function: Callable[..., _Value], *values: Any, among: str = "readers"
    ) -> _Value:
        """Call a function in one of the reader or writer threads, and return its value."""
        threads = cast(ThreadPoolExecutor, self.settings[f"{NAME}_threads"][among])

        return await asyncio.get_running_loop().run_in_executor(threads, function, *values)

    @property
    def known_user(self) -> str:
        """The server's name for the logged-in user; "" if that name is random."""
        user = self.current_user
        if _ANONYMOUS.fullmatch(user.username):
            name = user.display_name or user.name
            name = "" if name.startswith("Anonymous ") or name == user.username else name
        else:
            name = user.username
        return visible(name)[:MAX_IN_A_NAME].strip()

    @property
    def grader(self) -> str:
        """The grader's name; "" if the page still has to ask for it."""
        if known := self.known_user:
            return known
        cookie = self.get_signed_cookie(COOKIE, max_age_days=365)
        try:
            return expect_name(cookie.decode("utf-8")) if cookie else ""
        except (UnicodeDecodeError, Refused):
            return ""

    def answer_for(self, error: BaseException | None, status: int) -> tuple[int, dict[str, Any]]:
        """Return the status and the message for an error."""
        answer: dict[str, Any] = {"message": str(error)}
        match error:
            case RubricChanged():
                return 409, answer | {"kind": "rubric", "rubric": error.rubric}
            case CommentChanged():
                return 409, answer | {"kind": "comment", "theirs": error.theirs}
            case Conflict():
                return 409, answer | {"kind": "conflict"}
            case Refused():
                return 400, answer
            case NotThere():
                return 404, answer
            case UserError():
                return 503, answer
            case web.HTTPError():
                return status, {"message": self._words(error, status)}
        return status, {"message": "The server had an internal error; see its log. Try again."}

    def _words(self, error: web.HTTPError, status: int) -> str:
        if status == 403:
            if not self.current_user:
                return "Your login has ended. Open the server's address again and log in."
            return "The page is out of date, or it is from another server. Load it again."
        known = {404: "This page does not exist.", 405: "Not allowed."}
        return error.log_message or known.get(status, "The server cannot read the request.")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error message: JSON for a page's script, a page for a person."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        status, answer = self.answer_for(error, status_code)
        self.set_status(status)
        self.clear_header("Content-Disposition")
        self.set_header("Cache-Control", "no-store")
        self.finish_error(answer)

    def finish_error(self, answer: dict[str, Any]) -> None:
        """Send the message as a page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.show("error.html", message=answer["message"])

    def log_exception(self, *about: Any) -> None:
        """Log only errors of the server itself."""
        if self.answer_for(about[1], 500)[0] == 500:
            super().log_exception(*about)
