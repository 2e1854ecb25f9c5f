"""The desk's addresses: pages, their files, and the pages' questions and changes in JSON.

Everything is behind the server's own login, and each change carries its XSRF token. Files and the
database are read by threads, so a slow request delays nobody else's.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

from jupyter_server.base.handlers import APIHandler, FileFindHandler, JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from hw_grading.desk import reading, writing
from hw_grading.desk.courses import Desks
from hw_grading.desk.homework_desk import HomeworkDesk, NotThere
from hw_grading.desk.pictures import NotShown, pictures_of
from hw_grading.desk.shapes import BadRequest, body_of, dumped, name_in, rubric_json, text_in
from hw_grading.desk.thumbnails import MIME
from hw_grading.homework.homework import why_no_id
from hw_grading.outcome import GraderFault
from hw_grading.pages import KATEX
from hw_grading.records.scores import NoScores
from hw_grading.rubrics.model import Conflict, Refused, RubricChanged
from hw_grading.rubrics.tables import Unavailable
from hw_support.failures import visible
from hw_support.submission.file import Unreadable

NAME = "hw_grading_desk"  # of the extension, and of its entries in the server's settings
PLACE = "hw-grading"
STATIC = Path(__file__).with_name("static")
_COOKIE = "hw-grading-grader"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_ANONYMOUS = re.compile(r"[0-9a-f]{32}")  # a user of a server's shared token: drawn at random
_FOR_EVER = "private, max-age=31536000, immutable"

_Value = TypeVar("_Value")


class _Desk(JupyterHandler):
    """What all handlers have: threads, the grader's name, the words of errors."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")  # plots in others' pages
        self.set_header("Cache-Control", "no-store")

    @property
    def desks(self) -> Desks:
        """The desks of this server."""
        return cast(Desks, self.settings[f"{NAME}_desks"])

    @property
    def base(self) -> str:
        """The desk's address on this server."""
        return url_path_join(self.base_url, PLACE) + "/"

    async def in_thread(self, function: Callable[..., _Value], *values: Any) -> _Value:
        """Call a function in a thread, and answer with its error's words if it raises one."""
        threads = cast(ThreadPoolExecutor, self.settings[f"{NAME}_threads"])

        def call() -> _Value:
            with self.desks.busy.counted():
                return function(*values)

        return await asyncio.get_running_loop().run_in_executor(threads, call)

    @property
    def known_user(self) -> str:
        """The name by which the server knows who is logged in; "" if it draws names at random."""
        user = self.current_user
        if _ANONYMOUS.fullmatch(user.username):
            name = user.display_name or user.name
            name = "" if name.startswith("Anonymous ") or name == user.username else name
        else:
            name = user.username
        return visible(name)[:128].strip()

    @property
    def grader(self) -> str:
        """The name of who grades; "" if it has still to be asked for."""
        if known := self.known_user:
            return known
        cookie = self.get_signed_cookie(_COOKIE, max_age_days=365)
        try:
            return name_in(cookie.decode("utf-8")) if cookie else ""
        except (UnicodeDecodeError, Refused):
            return ""

    def expect_grader(self) -> str:
        """Return the name of who grades.

        Raises
        ------
        Refused
            It is not known yet.
        """
        if not self.grader:
            raise Refused("Nothing was saved: say first who you are. The page asks for your name.")
        return self.grader

    def remember_grader(self, name: str) -> None:
        """Set the cookie that says who grades with this browser."""
        self.set_signed_cookie(
            _COOKIE,
            name,
            expires_days=365,
            path=self.base,
            httponly=True,
            samesite="Strict",
            secure=self.request.protocol == "https",
        )

    def answer_for(self, error: BaseException | None, status: int) -> tuple[int, dict[str, Any]]:
        """Return the status and the words for an error."""
        answer: dict[str, Any] = {"message": str(error)}
        match error:
            case RubricChanged():
                return 409, answer | {"kind": "rubric", "rubric": rubric_json(error.rubric)}
            case Conflict():
                return 409, answer | {"kind": "conflict"}
            case Refused() | BadRequest():
                return 400, answer
            case NotThere():
                return 404, answer
            case Unavailable() | NoScores() | Unreadable() | GraderFault():
                return 503, answer
            case web.HTTPError():
                return status, {"message": self._words(error, status)}
        return status, {"message": "The server made a mistake; its log says which. Try again."}

    def _words(self, error: web.HTTPError, status: int) -> str:
        if status == 403 and not self.current_user:
            return "Your login has ended. Open the server's address again and log in."
        if status == 403:
            return "The page is too old, or comes from elsewhere. Load it again."
        return error.log_message or {404: "There is no such page.", 405: "Not allowed."}.get(
            status, "The request is not as expected."
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error's words: as JSON to a page, as text to a person."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        status, answer = self.answer_for(error, status_code)
        self.set_status(status)
        self.clear_header("Content-Disposition")
        self.set_header("Cache-Control", "no-store")
        self.finish_error(answer)

    def finish_error(self, answer: dict[str, Any]) -> None:
        """Send the words."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(answer["message"] + "\n")

    def log_exception(self, *about: Any) -> None:
        """Log only what is the server's own mistake."""
        if self.answer_for(about[1], 500)[0] == 500:
            super().log_exception(*about)


class Homeworks(_Desk):
    """The list of the course's homeworks."""

    @web.authenticated
    async def get(self) -> None:
        """Send the page; with one homework only, go to it."""
        names = await self.in_thread(self.desks.homeworks)
        if len(names) == 1:
            self.redirect(f"{self.base}{quote(names[0], safe='')}/")
            return
        links = [f"{quote(name, safe='')}/" for name in names]
        template = self.settings[f"{NAME}_jinja2_env"].get_template("homeworks.html")
        self.finish(template.render(base=self.base, homeworks=list(zip(names, links, strict=True))))


class Page(_Desk):
    """One page: its structure only. What students wrote and who they are comes by the API."""

    def initialize(self, template: str) -> None:
        """Take the name of its template."""
        self._template = template

    @web.authenticated
    async def get(self, assignment: str, cell: str = "") -> None:
        """Send the page."""
        desk = await self.in_thread(self.desks.desk, assignment)
        if self._template == "student.html":
            await self.in_thread(desk.name_of, cell)
        elif cell:
            await self.in_thread(desk.question, cell)
        self.xsrf_token  # noqa: B018 - it sets the cookie that the page's scripts send back
        template = self.settings[f"{NAME}_jinja2_env"].get_template(self._template)
        is_student = self._template == "student.html"
        self.finish(
            template.render(
                base=self.base,
                assignment=assignment,
                grader=self.grader,
                can_name=not self.known_user,
                cell="" if is_student else cell,
                student=cell if is_student else "",
            )
        )


class Api(_Desk, APIHandler):
    """Questions and changes in JSON."""

    @web.authenticated
    async def get(self, assignment: str, what: str, cell: str | None, student: str | None) -> None:
        """Answer a question."""
        desk = await self.in_thread(self.desks.desk, assignment)
        read = await self.in_thread(self._read, desk, what, cell or "", student or "")
        self.finish(dumped(read))

    def _read(self, desk: HomeworkDesk, what: str, cell: str, student: str) -> dict[str, Any]:
        match what, bool(cell), bool(student):
            case "overview", False, False:
                return reading.overview(desk, self.grader)
            case "question", True, False:
                return reading.question(desk, cell)
            case "answer", True, True:
                return reading.answer(desk, cell, _student(student))
            case "history", True, True:
                return reading.history(desk, cell, _student(student))
            case "flagged", False, False:
                return reading.flagged(desk)
            case "statistics", False, False:
                return reading.statistics_of_all(desk)
            case "rubrics", False, False:
                self.set_attachment_header(f"rubrics_{desk.assignment}.json")
                return desk.book.exported()
        raise web.HTTPError(404)

    @web.authenticated
    async def post(self, assignment: str, what: str, cell: str | None, then: str | None) -> None:
        """Make a change."""
        body = body_of(self.request.body)
        desk = await self.in_thread(self.desks.desk, assignment)
        if what == "grader":
            answer = self._name(body)
        else:
            grader = self.grader if what in ("here", "preview") else self.expect_grader()
            answer = await self.in_thread(
                _written, desk, what, cell or "", then or "", body, grader
            )
        self.finish(dumped(answer))

    def _name(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.known_user:
            raise Refused(f"The server knows you as {self.known_user}: grade under this name.")
        name = name_in(text_in(body, "name"))
        self.remember_grader(name)
        return {"grader": name}

    def finish_error(self, answer: dict[str, Any]) -> None:
        """Send the words as JSON."""
        self.finish(dumped(answer))


class Picture(_Desk):
    """A plot of an answer, small or as it is."""

    @web.authenticated
    async def get(self, assignment: str, cell: str, student: str, number: str = "") -> None:
        """Send the picture; it never changes under an address with the answer's digest."""
        desk = await self.in_thread(self.desks.desk, assignment)
        wanted = self.get_query_argument("d", "")
        mime, content, digest = await self.in_thread(
            _picture, desk, cell, _student(student), number, wanted
        )
        self.set_header("Content-Type", mime)
        if wanted == digest:
            self.set_header("Cache-Control", _FOR_EVER)
        self.finish(content)


class Static(FileFindHandler):
    """Scripts, styles and fonts of the pages, which hold nothing of a course."""

    _static_paths: dict[str, str] = {}  # noqa: RUF012 - a cache, of this class alone

    def set_headers(self) -> None:
        """Send no type that a browser has to guess."""
        super().set_headers()
        self.set_header("X-Content-Type-Options", "nosniff")


def routes() -> list[tuple[Any, ...]]:
    """Return the addresses below the server's base, with their handlers."""
    place, part = rf"/{PLACE}", r"([^/]+)"
    page = rf"{place}/{part}"
    api = rf"{page}/api"
    file = r"((?:katex/)?[\w.-]+\.(?:js|css))"
    return [
        (rf"{place}/?", Homeworks),
        (rf"{place}/static/{file}", Static, {"path": [str(STATIC), str(KATEX.parent)]}),
        (rf"{api}/(?:thumbnail)/{part}/{part}", Picture),
        (rf"{api}/picture/{part}/{part}/([0-9]{{1,3}})", Picture),
        (rf"{api}/([a-z]+)(?:/{part})?(?:/{part})?", Api),
        (rf"{page}/", Page, {"template": "overview.html"}),
        *(
            (rf"{page}/{name}/{part}", Page, {"template": f"{name}.html"})
            for name in ("grade", "grid", "student")
        ),
        *(
            (rf"{page}/{name}", Page, {"template": f"{name}.html"})
            for name in ("statistics", "flagged")
        ),
    ]


def _written(
    desk: HomeworkDesk, what: str, cell: str, then: str, body: dict[str, Any], grader: str
) -> dict[str, Any]:
    match what, cell, then:
        case "here", "", "":
            return writing.here(desk, body, grader)
        case "preview", "", "":
            return writing.preview_comment(desk, body)
        case "rubrics", "", "":
            return writing.import_rubrics(desk, body, grader)
        case "save", str(cell), "" if cell:
            return writing.save(desk, cell, body, grader)
        case "items", str(cell), "" if cell:
            return writing.give_items(desk, cell, body, grader)
        case "undo", str(cell), "" if cell:
            return writing.undo(desk, cell, grader)
        case "rubric", str(cell), "" if cell:
            return writing.change_rubric(desk, cell, body, grader)
        case "rubric", str(cell), "preview":
            return writing.preview_rubric(desk, cell, body)
        case "rubric", str(cell), "undo":
            return writing.undo_rubric(desk, cell, grader)
        case "group", str(cell), "" if cell:
            return writing.group(desk, cell, body, grader)
        case "shares", str(cell), "" if cell:
            return writing.hand_out(desk, cell, body, grader)
    raise web.HTTPError(404)


def _picture(
    desk: HomeworkDesk, cell: str, student: str, number: str, wanted: str
) -> tuple[str, bytes, str]:
    """Return a picture's type, its bytes, and the digest of the answer that it is of."""
    glance = desk.answers.submission(student).glances.get(cell)
    if glance is None or not glance.pictures:
        raise NotThere("This answer has no picture.")
    if not number:
        small = desk.thumbnails.kept(glance.digest)
        if small is None:
            small = desk.thumbnails.make(desk.answers.cells(student)[cell], glance.digest)
        if not small:
            raise NotThere("This answer has no picture that can be shown.")
        return MIME, small, glance.digest
    pictures = pictures_of(desk.answers.cells(student).get(cell, {}))
    if int(number) >= len(pictures):
        raise NotThere(f"This answer has {len(pictures)} pictures.")
    try:
        return pictures[int(number)].mime, pictures[int(number)].content(), glance.digest
    except NotShown as why:
        raise NotThere(str(why)) from None


def _student(student: str) -> str:
    if why_no_id(student):
        raise NotThere("There is no student of such an id.")
    return student
