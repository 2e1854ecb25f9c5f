"""A class of students to be graded by hand, its desk, and a client of the desk."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import random
import secrets
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader import api
from PIL import Image, ImageDraw
from sqlalchemy import insert

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
    process: subprocess.Popen[bytes]
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
    token = secrets.token_hex(16)
    places = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    environment = {f"JUPYTER_{name}": str(records / name.lower()) for name in places}
    environment |= {"XDG_CACHE_HOME": str(records / "cache"), "JUPYTER_TOKEN": token}
    command = [sys.executable, "-m", "hw_grading", "--course", str(course), "desk", NAME]
    with (records / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--no-browser", "--allow-root"],
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
    try:
        about = records / "runtime_dir" / f"jpserver-{process.pid}.json"
        for _ in range(300):
            if about.exists() or process.poll() is not None:
                break
            time.sleep(0.2)
        try:
            port = json.loads(about.read_text())["port"]
        except OSError:
            raise RuntimeError(
                f"the desk did not start:\n{(records / 'log').read_text()}"
            ) from None
        server = Server(port, token, process)
        server.ask("grader", {"name": "Kim"})
        yield server
    finally:
        process.terminate()
        process.wait(30)


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
    """Write all rows that `nbgrader autograde` would leave, in one step."""
    names = [f"plot{n + 1}" for n in range(PLOTS)] + [f"text{n + 1}" for n in range(TEXTS)]
    with api.Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        book.add_assignment(NAME)
        book.add_notebook(NAME, NAME)
        cells = []
        for name in names:
            kind = "code" if name.startswith("plot") else "markdown"
            marks = {"max_score": 3, "cell_type": kind}
            cells.append(book.add_grade_cell(name, NAME, NAME, **marks).id)
            book.add_solution_cell(name, NAME, NAME)
        assignment, notebook = book.find_assignment(NAME).id, book.find_notebook(NAME, NAME).id
        solutions = [c.id for c in book.find_notebook(NAME, NAME).solution_cells]
        tables = api.Base.metadata.tables
        rows: dict[str, list[dict[str, Any]]] = {}
        for student in students:
            one, other = api.new_uuid(), api.new_uuid()
            rows.setdefault("student", []).append({"id": student, "lms_user_id": None})
            rows.setdefault("submitted_assignment", []).append(
                {"id": one, "assignment_id": assignment, "student_id": student}
            )
            rows.setdefault("submitted_notebook", []).append(
                {"id": other, "assignment_id": one, "notebook_id": notebook}
            )
            for cell in cells:
                rows.setdefault("grade", []).append(
                    {
                        "id": api.new_uuid(),
                        "cell_id": cell,
                        "notebook_id": other,
                        "needs_manual_grade": True,
                    }
                )
            for cell in solutions:
                rows.setdefault("comment", []).append(
                    {"id": api.new_uuid(), "cell_id": cell, "notebook_id": other}
                )
        for table, values in rows.items():
            book.db.execute(insert(tables[table]), values)
        book.db.commit()
