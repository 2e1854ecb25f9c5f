"""Measure grading 700 students by hand: time to the next answer and grid, server memory."""

from __future__ import annotations

import base64
import http.client
import io
import itertools
import json
import os
import random
import secrets
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import numpy as np
import psutil
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader import api
from PIL import Image, ImageDraw
from sqlalchemy import insert

STUDENTS = 700
PLOTS, TEXTS = 5, 3  # answers graded by hand
NAME = "toys"
ANSWERS = 150  # graded in a row
CONNECTIONS = 6  # a browser's connections to one server
WORDS = "The loss falls because $\\nabla L$ points uphill, and each step goes downhill. " * 8


def run() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / "course"
        start = time.perf_counter()
        write_class(course)
        print(
            f"a class of {STUDENTS} × {PLOTS + TEXTS} answers, "
            f"written in {time.perf_counter() - start:.0f} s"
        )
        with serving(course, Path(folder)) as server:
            _measure(server)


def _measure(server: Server) -> None:
    start = time.perf_counter()
    first = server.ask("overview")
    print(f"overview, first time: {time.perf_counter() - start:.2f} s")
    cold = _grid(server, "plot1")
    print(f"grid of {STUDENTS}, thumbnails not made yet: {cold:.1f} s")
    while (seen := server.ask("overview"))["reading"]["read"] < STUDENTS:
        time.sleep(0.5)
    print(f"the whole class read after {time.perf_counter() - start:.0f} s")
    warm = statistics.median(_grid(server, "plot1") for _ in range(3))
    print(f"grid of {STUDENTS}, thumbnails made: median {warm:.2f} s of 3")
    assert len(first["questions"]) == len(seen["questions"]) == PLOTS + TEXTS
    for cell in ("plot2", "text1"):
        seconds = sorted(_grade(server, cell))
        late = seconds[int(0.95 * len(seconds))]
        print(
            f"next answer of {cell}, saved and the next shown: median "
            f"{1000 * statistics.median(seconds):.0f} ms, 95 % within {1000 * late:.0f} ms"
        )
    alone, together = server.megabytes()
    print(f"memory: server {alone:.0f} MB, with the processes that render {together:.0f} MB")


def _grid(server: Server, cell: str) -> float:
    """Load the grid of a question as a browser does; return the seconds."""
    start = time.perf_counter()
    students = server.ask(f"question/{cell}")["students"]
    parts = [students[n::CONNECTIONS] for n in range(CONNECTIONS)]

    def load(part: list[dict[str, Any]]) -> int:
        one = Server(server.port, server.token, server.process)
        where = (f"thumbnail/{cell}/{s['student']}?d={s['digest']}" for s in part)
        return sum(len(one.get(address)) > 500 for address in where)

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        shown = sum(threads.map(load, parts))
    assert shown == STUDENTS, shown
    return time.perf_counter() - start


def _grade(server: Server, cell: str) -> Iterator[float]:
    """Grade answers one after another: save one, and load the next with its plot."""
    question = server.ask(f"question/{cell}")
    item, revision = question["rubric"]["items"][0]["id"], question["rubric"]["revision"]
    students = [student["student"] for student in question["students"][: ANSWERS + 1]]
    shown = _show(server, cell, students[0])
    for before, after in itertools.pairwise(students):
        start = time.perf_counter()
        mark = {"chosen": [item], "adjustment": 0, "comment": "", "done": True}
        body = {
            "versions": {before: shown["grading"]["version"]},
            "mark": mark,
            "rubric_revision": revision,
            "digests": {before: shown["digest"]},
        }
        assert before in server.ask(f"save/{cell}", body)["saved"]
        shown = _show(server, cell, after)
        yield time.perf_counter() - start
        time.sleep(0.3)  # a person reads it


def _show(server: Server, cell: str, student: str) -> dict[str, Any]:
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

    def megabytes(self) -> tuple[float, float]:
        """Return the resident memory of the server, and of all its processes together.

        In the latter, shared memory counts only once, if the system reports it (Linux).
        """
        server = psutil.Process(self.process.pid)
        everybody = [p.memory_full_info() for p in (server, *server.children(recursive=True))]
        together = sum(getattr(memory, "pss", memory.rss) for memory in everybody)
        return everybody[0].rss / 1e6, together / 1e6


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


def write_class(course: Path) -> None:
    """Write a course whose class is graded except for the answers graded by hand."""
    notebook = _source()
    folder = course / "source" / NAME
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{NAME}.ipynb")
    (course / "nbgrader_config.py").write_text("c = get_config()\n")
    draw = random.Random(1)
    plots = [_plot(number) for number in range(20)]
    students = [f"student{number:03}" for number in range(STUDENTS)]
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
