"""A class of students to be graded by hand, its desk, and a client of the desk."""

from __future__ import annotations

import base64
import http.client
import io
import json
import random
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from PIL import Image, ImageDraw
from sqlalchemy.exc import SAWarning

from hw_grading.homework.course import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests" / "browser"))
from server import start_desk

PLOTS, TEXTS = 5, 3  # answers graded by hand
NAME = "toys"
WORDS = "The loss falls because $\\nabla L$ points uphill, and each step goes downhill. " * 8


def save_body(
    rubric: dict[str, Any], student: str, shown: dict[str, Any], comment: str = ""
) -> dict[str, Any]:
    """Return the request that gives a shown answer the first item of its rubric."""
    chosen = [rubric["items"][0]["id"]]
    return {
        "versions": {student: shown["grading"]["version"]},
        "mark": {"chosen": chosen, "adjustment": 0, "comment": comment, "done": True},
        "rubric_revision": rubric["revision"],
        "digests": {student: shown["digest"]},
    }


def show(server: Server, cell: str, student: str) -> dict[str, Any]:
    """Load an answer with its picture, as the page does."""
    answer = server.ask(f"answer/{cell}/{quote(student)}")
    _, found, rest = answer["html"].partition('src="')
    if found and rest.startswith("/"):
        server.get(rest.partition('"')[0].partition("/api/")[2])
    return answer


@dataclass
class Server:
    """A running desk, and one connection to it."""

    port: int
    token: str
    cookie: str = ""
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the desk's API."""
        answer: dict[str, Any] = json.loads(self.get(what, body))
        return answer

    def get(self, what: str, body: dict[str, Any] | None = None) -> bytes:
        """Return the server's answer."""
        headers = {"Authorization": f"token {self.token}", "Cookie": self.cookie}
        path = f"/hw-grading/{NAME}/api/{what}"
        if body is None:
            self._connection.request("GET", path, headers=headers)
        else:
            self._connection.request("POST", path, json.dumps(body), headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{what}: {answer.status} {content[:300]!r}")
        for name, value in answer.getheaders():
            if name == "Set-Cookie" and value.startswith("hw-grading-grader="):
                self.cookie = value.partition(";")[0]
        return content


@contextmanager
def serving(course: Path, records: Path) -> Iterator[Server]:
    """Yield a server with the course's desk; its settings and caches are in `records`."""
    running = start_desk(course, records, NAME)
    try:
        server = Server(urlsplit(running.url).port or 0, running.token)
        server.ask("grader", {"name": "Kim"})
        yield server
    finally:
        running.close()


def write_class(course: Path, count: int) -> None:
    """Write a course of `count` students, graded except for the answers graded by hand."""
    notebook = _source()
    folder = course / "source" / NAME
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{NAME}.ipynb")
    (course / "nbgrader_config.py").write_text("c = get_config()\n")
    draw = random.Random(1)
    plots = [_plot(number) for number in range(20)]
    students = [f"student{number:03}" for number in range(count)]
    for student in students:
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if name.startswith("plot"):
                cell.outputs[0]["data"]["image/png"] = _own(draw.choice(plots), f"{student} {name}")
            elif name.startswith("text"):
                cell.source = f"{WORDS}{student}"
        for step in ("submitted", "autograded"):
            there = course / step / student / NAME
            there.mkdir(parents=True)
            if step == "autograded":
                (there / f"{NAME}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    _write_gradebook(course, students)


def _source() -> Any:
    cells = []
    for number in range(1, PLOTS + TEXTS + 1):
        is_plot = number <= PLOTS
        name = f"plot{number}" if is_plot else f"text{number - PLOTS}"
        marks = {"grade_id": name, "grade": True, "solution": True, "locked": False, "points": 3}
        marks |= {"schema_version": 3, "task": False}
        scheme = "<!-- BEGIN MARK SCHEME -->\n- 1: axes.\n- 2: values.\n<!-- END MARK SCHEME -->"
        cells.append(new_markdown_cell(f"### 1.{number} Toy\nShow it.\n{scheme}"))
        cell = new_markdown_cell(WORDS)
        if is_plot:
            shown = new_output("display_data")
            cell = new_code_cell("plt.plot(losses)\nplt.show()", outputs=[shown])
        cell.metadata["nbgrader"] = marks
        cells.append(cell)
    return new_notebook(cells=cells)


def _plot(seed: int) -> bytes:
    """Return a picture like a plot, with 640 × 480 pixels and about 40 kB."""
    noise = np.random.default_rng(seed)
    grey = np.full((480, 640), 255, np.uint8)
    grey[100:300, 100:300] = noise.integers(0, 256, (200, 200))
    picture = Image.fromarray(grey).convert("RGB")
    pen = ImageDraw.Draw(picture)
    heights = 240 + np.cumsum(noise.normal(0, 4, 600))
    pen.line([(20 + x, float(y)) for x, y in enumerate(heights)], fill=(31, 119, 180), width=2)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _own(picture: bytes, whose: str) -> str:
    """Return a picture in base64, made unique for a student by a comment."""
    text = b"tEXtComment\0" + whose.encode()
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    head = 33  # bytes: the signature and the first chunk
    return base64.b64encode(picture[:head] + chunk + picture[head:]).decode("ascii")


def _write_gradebook(course: Path, students: list[str]) -> None:
    """Write what `nbgrader autograde` would leave."""
    names = [f"plot{n + 1}" for n in range(PLOTS)] + [f"text{n + 1}" for n in range(TEXTS)]
    with (
        warnings.catch_warnings(action="ignore", category=SAWarning),
        Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book,
    ):
        book.add_assignment(NAME)
        book.add_notebook(NAME, NAME)
        for name in names:
            kind = "code" if name.startswith("plot") else "markdown"
            book.add_grade_cell(name, NAME, NAME, max_score=3, cell_type=kind)
            book.add_solution_cell(name, NAME, NAME)
        for student in students:
            book.add_student(student)
            submission = book.add_submission(NAME, student)
            for grade in submission.notebooks[0].grades:
                grade.needs_manual_grade = True
        book.db.commit()
