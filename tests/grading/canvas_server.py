"""A Canvas of one assignment, made after its public API documentation, with faults on demand.

It answers what `collect`, `export` and `feedback` ask with --canvas, and keeps what was changed.
"""

import email
import json
import re
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "11~aSecretOfTheInstructor"
ASSIGNMENT = "/api/v1/courses/7/assignments/1234"
CONFIG = """
c.Canvas.address = {address!r}
c.Canvas.course_id = 7
c.Canvas.assignments = {{"hw2": 1234, "ps1": 1234}}
"""


@dataclass
class Student:
    user: int
    name: str
    sis: str | None = None
    login: str | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    score: float | None = None
    excused: bool = False
    deducted: float = 0.0
    comments: list[dict[str, Any]] = field(default_factory=list)


class CanvasServer:
    """Listens on 127.0.0.1; files are on another host, `localhost`, as on Canvas' own servers."""

    def __init__(self) -> None:
        self.students: dict[int, Student] = {}
        self.files: dict[int, tuple[str, bytes]] = {}
        self.about: dict[str, Any] = {"id": 1234, "course_id": 7, "name": "Homework 2"}
        self.about |= {"grading_type": "points", "points_possible": 15.0, "post_manually": False}
        self.page_size, self.repeats = 2, 0  # how often the first page comes again
        self.faults: list[tuple[str, str, str]] = []  # method, pattern of the path, and the fault
        self.asked: list[str] = []  # all requests
        self.changes: list[tuple[Any, ...]] = []  # that were made
        self.job: dict[str, Any] = {}
        self.job_fails = False
        self.token_elsewhere = False  # whether another host got the token
        server = self

        class Handler(_Handler):
            canvas = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        port = self._http.server_address[1]
        self.address, self.elsewhere = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def config(self) -> str:
        return CONFIG.format(address=self.address)

    def enrol(self, user: int, name: str, **more: Any) -> Student:
        self.students[user] = Student(user, name, **more)
        return self.students[user]

    def submit(
        self, user: int, *files: tuple[str, bytes], at: str = "2022-10-04T10:00:00Z",
        late: bool = False, elsewhere: bool = False,
    ) -> None:  # fmt: skip
        attached = []
        for name, content in files:
            number = 9000 + len(self.files)
            self.files[number] = (name, content)
            host = self.elsewhere if elsewhere else self.address
            url = f"{host}/{'storage' if elsewhere else 'files'}/{number}/download?verifier=x"
            attached.append({"id": number, "display_name": name, "filename": name,
                             "size": len(content), "url": url})  # fmt: skip
        attempts = self.students[user].attempts
        about = {"attempt": len(attempts) + 1, "submitted_at": at, "late": late}
        attempts.append(about | {"attachments": attached})

    # -- answers

    def submission(self, one: Student, include: list[str]) -> dict[str, Any]:
        nothing = {"attempt": None, "submitted_at": None, "late": False}
        score = None if one.score is None else one.score - one.deducted
        found = (one.attempts[-1] if one.attempts else nothing) | {
            "user_id": one.user, "assignment_id": 1234, "score": score, "excused": one.excused,
            "entered_score": one.score, "points_deducted": one.deducted or None,
        }  # fmt: skip
        if "user" in include:
            found["user"] = {"id": one.user, "name": one.name}
            found["user"] |= {"sis_user_id": one.sis, "login_id": one.login}
        if "submission_history" in include:
            found["submission_history"] = one.attempts
        if "submission_comments" in include:
            found["submission_comments"] = one.comments
        return found

    def page(self, query: dict[str, list[str]]) -> tuple[list[Any], str]:
        """A page of submissions, and the address of the next one."""
        number, again = int(query.get("page", ["1"])[0]), int(query.get("again", ["0"])[0])
        start = (number - 1) * self.page_size
        those = sorted(self.students.values(), key=lambda one: one.user)
        include = query.get("include[]", [])
        page = [self.submission(one, include) for one in those[start : start + self.page_size]]
        if again < self.repeats:
            again += 1
        elif start + self.page_size < len(those):
            number += 1
        else:
            return page, ""
        more = "".join(f"&include[]={one}" for one in include)
        link = f"{self.address}{ASSIGNMENT}/submissions?page={number}&again={again}{more}"
        return page, link

    def grade(self, form: dict[str, list[str]]) -> dict[str, Any]:
        found = ((re.findall(r"\d+", key), value[0]) for key, value in form.items())
        points = {int(user): value for [user], value in found}
        self.changes.append(("points", points))
        self.job = {"id": 5, "workflow_state": "queued", "points": points, "message": None}
        return self.job

    def work(self) -> None:
        """Do a step of the job, as it goes on between two requests."""
        state = self.job.get("workflow_state")
        if state == "queued":
            self.job["workflow_state"] = "running"
        elif state == "running" and self.job_fails:
            self.job |= {"workflow_state": "failed", "message": "grades of a closed period"}
        elif state == "running":
            for user, value in self.job["points"].items():
                self.students[user].score = float(value)
            self.job["workflow_state"] = "completed"

    def comment(self, user: int, form: dict[str, list[str]]) -> dict[str, Any]:
        one = self.students[user]
        files = [self.files[int(number)] for number in form["comment[file_ids][]"]]
        text, attempt = form["comment[text_comment]"][0], int(form["comment[attempt]"][0])
        one.comments.append({"author_id": 1, "comment": text, "attempt": attempt})
        self.changes.append(("comment", user, attempt, text, *files))
        return self.submission(one, [])


class _Handler(BaseHTTPRequestHandler):
    canvas: CanvasServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_GET

    def _answer(self) -> None:
        canvas = self.canvas
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        canvas.asked.append(f"{self.command} {self.path}")
        canvas.work()
        fault = ""
        for at, (method, pattern, kind) in enumerate(canvas.faults):
            if method == self.command and re.search(pattern, self.path):
                fault = kind
                del canvas.faults[at]
                break
        is_elsewhere = self.headers["Host"].startswith("localhost")
        has_token = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        canvas.token_elsewhere |= is_elsewhere and has_token
        if fault == "cut":
            return self._hang_up()
        if fault == "silent":
            self.connection.recv(1)  # until the other side gives up
            return self._hang_up()
        if fault.isdigit():
            text = {"403": "403 Forbidden (Rate Limit Exceeded)", "400": f"bad {TOKEN}"}
            return self._send(int(fault), text.get(fault, "{}").encode())
        if fault == "login page":
            return self._send(200, b"<html>Log in</html>")
        if not is_elsewhere and "/files/" not in self.path and not has_token:
            return self._send(401, b'{"errors": [{"message": "Invalid access token."}]}',
                              ("WWW-Authenticate", 'Bearer realm="canvas-lms"'))  # fmt: skip
        status, answer, *more = self._route(body)
        if fault == "done, then cut":
            return self._hang_up()
        if fault == "done, then 500":
            return self._send(500, b"{}")
        if fault == "shorter":
            answer = answer[: len(answer) // 2]
        return self._send(status, answer, *more, cut=fault == "half")

    def _route(self, body: bytes) -> tuple[Any, ...]:
        canvas, url = self.canvas, urlsplit(self.path)
        query, path = parse_qs(url.query), url.path
        if self.command == "GET" and path == ASSIGNMENT:
            return 200, json.dumps(canvas.about).encode()
        if self.command == "GET" and path == f"{ASSIGNMENT}/submissions":
            page, link = canvas.page(query)
            return (
                200,
                json.dumps(page).encode(),
                *([("Link", f'<{link}>; rel="next"')] * bool(link)),
            )
        if path.startswith("/files/"):
            number = path.split("/")[2]
            return 302, b"", ("Location", f"{canvas.elsewhere}/storage/{number}/download")
        if path.startswith("/storage/"):
            return 200, canvas.files[int(path.split("/")[2])][1]
        if path == f"{ASSIGNMENT}/submissions/update_grades":
            return 200, json.dumps(canvas.grade(parse_qs(body.decode()))).encode()
        if path == "/api/v1/progress/5":
            return 200, json.dumps(canvas.job).encode()
        if path.endswith("/comments/files"):
            about = {"upload_url": f"{canvas.elsewhere}/upload", "upload_params": {"key": "k"}}
            return 200, json.dumps(about).encode()
        if path == "/upload":
            kind = self.headers["Content-Type"].encode()
            parts = email.message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + body)
            file = next(part for part in parts.get_payload() if part.get_filename())
            number = 9000 + len(canvas.files)
            canvas.files[number] = (file.get_filename(), file.get_payload(decode=True))
            return 201, json.dumps({"id": number, "url": f"{canvas.address}/files/9"}).encode()
        if self.command == "PUT" and (
            user := re.fullmatch(f"{ASSIGNMENT}/submissions/(\\d+)", path)
        ):
            form = parse_qs(body.decode())
            return 200, json.dumps(canvas.comment(int(user[1]), form)).encode()
        return 404, b'{"errors": []}'

    def _send(
        self, status: int, content: bytes, *headers: tuple[str, str], cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
