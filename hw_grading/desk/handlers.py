"""The desk's URLs: pages, static files, and a JSON interface for reading and changing.

Everything is behind the server's own login. Each change must carry the server's XSRF token. Threads
read files and the database, so a slow request does not delay others.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import APIHandler, FileFindHandler
from pydantic_core import to_jsonable_python
from tornado import web

from hw_grading.desk import any_answer, graders, mistakes, pictures, reading, requests
from hw_grading.desk.answers import Glance
from hw_grading.desk.base_handler import COOKIE, PLACE, DeskHandler
from hw_grading.desk.desks import HomeworkDesk, NotThere
from hw_grading.desk.term import progress_of
from hw_grading.desk.writing import Name, body_of, written
from hw_grading.gradebook.model import Refused, expect_name
from hw_grading.homework.homework import why_no_id
from hw_grading.rendering import FORMULAS

STATIC = Path(__file__).with_name("static")
_OF_A_PICTURE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
_FOR_EVER = "private, max-age=31536000, immutable"


class Homeworks(DeskHandler):
    """The homeworks of the course, and how far each is."""

    @web.authenticated
    async def get(self) -> None:
        """Send the page."""
        found = await self.in_thread(lambda: progress_of(self.desks.course(), self.grader))
        self.show("homeworks.html", homeworks=found, grader=self.grader)


class Page(DeskHandler):
    """The empty structure of one page. The JSON interface sends students' texts and names."""

    def initialize(self, template: str) -> None:
        """Store the name of the page's template."""
        self._template = template

    @web.authenticated
    async def get(self, assignment: str, cell: str = "") -> None:
        """Send the page."""
        desk = await self.in_thread(self.desks.desk, assignment)
        is_student = self._template == "student.html"
        if cell:
            checks: dict[str, Callable[[str], object]] = {
                "read.html": partial(any_answer.expect_answer, desk),
                "student.html": desk.name_of,
            }
            await self.in_thread(checks.get(self._template, desk.question), cell)
        self.xsrf_token  # noqa: B018 - this sets the cookie that the page's scripts send back
        self.show(
            self._template,
            assignment=assignment,
            grader=self.grader,
            can_name=not self.known_user,
            cell="" if is_student else cell,
            student=cell if is_student else "",
        )


class Api(DeskHandler, APIHandler):
    """The JSON interface for reading and changing."""

    @web.authenticated
    async def get(self, assignment: str, what: str, cell: str | None, student: str | None) -> None:
        """Answer a read request."""
        desk = await self.in_thread(self.desks.desk, assignment)
        read = await self.in_thread(self._read, desk, what, cell or "", student or "")
        self.finish(dumped(read))

    def _read(self, desk: HomeworkDesk, what: str, cell: str, student: str) -> dict[str, Any]:
        match what, bool(cell), bool(student):
            case "overview", False, False:
                return graders.overview(desk, self.grader)
            case "question", True, False:
                return reading.question(desk, cell)
            case "answer", True, True:
                return reading.answer(desk, cell, student)
            case "graders", False, False:
                return graders.comparison(desk, self.grader)
            case "second", True, False:
                return graders.second_question(desk, cell, self.grader)
            case "second", True, True:
                return graders.second_answer(desk, cell, student, self.grader)
            case "similar", True, True:
                return reading.similar(desk, cell, student)
            case "read", True, True:
                return any_answer.shown(desk, cell, student)
            case "student", True, False:
                return reading.student(desk, cell)
            case "mistakes", False, False:
                return mistakes.all_groups(desk)
            case "requests", False, False:
                return {"requests": requests.queue(desk, self.grader)}
            case "request", True, True:
                return requests.details(desk, cell, student)
            case "group", True, True:  # the second part is the id of the group
                return mistakes.group(desk, cell, student)
        raise web.HTTPError(404)

    @web.authenticated
    async def post(self, assignment: str, what: str, cell: str | None, then: str | None) -> None:
        """Make a change."""
        raw = self.request.body
        desk = await self.in_thread(self.desks.desk, assignment)
        if what == "grader":
            answer = self._name(body_of(raw, Name).name)
        else:
            if not (grader := self.grader) and what != "preview":
                raise Refused(
                    "Nothing was saved, because the desk does not know your name. Enter it when "
                    "the page asks for it."
                )
            where = (cell or "", what, then or "")
            among = "readers" if "preview" in where else "writers"
            answer = await self.in_thread(written, desk, *where, raw, grader, among=among)
        self.finish(dumped(answer))

    def _name(self, name: str) -> dict[str, Any]:
        if known := self.known_user:
            raise Refused(f"You are logged in as {known}, so you cannot change your name.")
        name = expect_name(name.strip())
        self.set_signed_cookie(
            COOKIE,
            name,
            expires_days=365,
            path=self.base,
            httponly=True,
            samesite="Strict",
            secure=self.request.protocol == "https",
        )
        return {"grader": name}

    def finish_error(self, answer: dict[str, Any]) -> None:
        """Send the message as JSON."""
        self.finish(dumped(answer))


class Thumbnail(DeskHandler):
    """A small picture of an answer's first plot."""

    @web.authenticated
    async def get(self, assignment: str, cell: str, student: str) -> None:
        """Send the picture. The address has the answer's digest, so it never changes."""
        desk = await self.in_thread(self.desks.desk, assignment)
        larger = self.get_query_argument("larger", "") != ""
        (mime, content), digest = await self.in_thread(_thumbnail, desk, cell, student, larger)
        self.set_header("Content-Type", mime)
        self.set_header("Content-Security-Policy", _OF_A_PICTURE)
        if self.get_query_argument("d", "") == digest:
            self.set_header("Cache-Control", _FOR_EVER)
        self.finish(content)


class Missing(DeskHandler):
    """An address of the desk at which there is no page."""

    @web.authenticated
    def get(self) -> None:
        """Answer with status 404."""
        raise web.HTTPError(404)


class Static(FileFindHandler):
    """Scripts, styles and fonts of the pages. They contain nothing of a course."""

    _static_paths: dict[str, str] = {}  # noqa: RUF012 - a cache for this class alone

    def set_headers(self) -> None:
        """Forbid browsers to guess the type."""
        super().set_headers()
        self.set_header("X-Content-Type-Options", "nosniff")


def routes() -> list[tuple[Any, ...]]:
    """Return the URLs below the server's base, with their handlers."""
    place, part = rf"/{PLACE}", r"([^/]+)"
    page = rf"{place}/{part}"
    api = rf"{page}/api"
    file = r"([\w.-]+\.(?:js|css))"
    return [
        (rf"{place}/?", Homeworks),
        (rf"{place}/static/{file}", Static, {"path": [str(STATIC), str(FORMULAS.parent)]}),
        (rf"{api}/thumbnail/{part}/{part}", Thumbnail),
        (rf"{api}/([a-z]+)(?:/{part})?(?:/{part})?", Api),
        (rf"{page}/", Page, {"template": "overview.html"}),
        *(
            (rf"{page}/{name}", Page, {"template": f"{name}.html"})
            for name in ("graders", "mistakes", "requests")
        ),
        *(
            (rf"{page}/{name}/{part}", Page, {"template": f"{name}.html"})
            for name in ("grade", "grid", "read", "second", "student")
        ),
        (rf"{place}/.*", Missing),
    ]


def _thumbnail(
    desk: HomeworkDesk, cell: str, student: str, larger: bool
) -> tuple[pictures.Thumbnail, str]:
    """Return a thumbnail, or a larger picture, and the digest of its answer."""
    if why_no_id(student):
        raise NotThere("No student has this id.")
    digest = desk.answers.submission(student).glances.get(cell, Glance()).digest
    kept = None if larger else desk.thumbnails.kept(digest)
    if kept is None:
        submission, cells = desk.answers.read(student)
        answer, digest = cells.get(cell, {}), submission.glances.get(cell, Glance()).digest
        made = desk.thumbnails
        kept = made.larger(answer) if larger else made.make(answer, digest)
    if not kept[0]:
        raise NotThere("This answer has no picture that can be shown.")
    return kept, digest


def dumped(answer: dict[str, Any]) -> str:
    """Return JSON text that a page can parse. NaN is not valid JSON and becomes null."""
    return json.dumps(to_jsonable_python(answer, inf_nan_mode="null"))
