"""The server of the GSI's desk: its answers, who may ask, and how it handles bad input."""

import http.client
import json
import re
import socket
import sqlite3
import sys
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil
import pytest
from feedback_pages import words
from graded_course import ToyCourse, course, notebook, problem, stream
from html_pages import base64_of, display, png

from hw_grading.__main__ import main
from hw_grading.homework.course import REPOSITORY

sys.path.append(str(REPOSITORY / "tests" / "browser"))

from server import run

__all__ = ["course"]  # used by pytest, by name
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("desk server")]

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
PLOT = base64_of(png(400, 300, pixels=(b"\0" + b"\x80" * 400) * 300))


@dataclass
class Client:
    """A browser or program that uses a desk."""

    port: int
    token: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def call(self, path, body=None, **headers):
        """Return status, headers and body of an answer."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers["Authorization"] = f"token {self.token}"
        headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = None if body is None else json.dumps(body)
        connection.request("POST" if sent else "GET", path, sent, headers)
        answer = connection.getresponse()
        content = answer.read()
        for name, value in answer.getheaders():
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def api(self, what, body=None, status=200, homework="hw2", **more):
        """Return the JSON of an answer whose status is as expected."""
        got, headers, content = self.call(f"/hw-grading/{homework}/api/{what}", body, **more)
        assert got == status, (got, content)
        assert headers["Content-Type"] == "application/json"
        assert headers["Cache-Control"] == "no-store"
        return json.loads(content)


class Running:
    """A desk in a process of its own."""

    def __init__(self, folder, records):
        command = ("hw_grading", "desk", "hw2", "--course", str(folder))
        server = run([sys.executable, "-m", *command], records, records)
        self.token, self.process, self.close = server.token, server.process, server.close
        self.port, self.log = urlsplit(server.url).port, records / "log"

    def client(self, name="Kim"):
        client = Client(self.port, self.token)
        if name:
            client.api("grader", {"name": name})
        return client


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """A class: plots, a blank answer, a failed submission, one that cannot be read."""
    made = ToyCourse(tmp_path_factory.mktemp("desk") / "course")
    bombs = [display({"image/png": base64_of(png(10_000, 10_000))})]
    content = {
        "ada": notebook(plot=[display({"image/png": PLOT})], answer="It is $x^2$."),
        "bob": notebook(plot=[display({"image/png": PLOT})], answer=""),
        "cyd": notebook(plot=[7], answer="Because."),
        "dan": notebook(plot=bombs, answer="  \n", problems=[problem("It looped.")]),
        "eve": notebook(plot=[stream("no plot\n")], answer="word " * 4_000_000),
        "fay": "{",
    }
    for student, graded in content.items():
        made.grade(student, graded)
    return made


@pytest.fixture(scope="module")
def running(toys, tmp_path_factory):
    server = Running(toys.root, tmp_path_factory.mktemp("records"))
    yield server
    server.close()


@pytest.fixture
def kim(running):
    return running.client()


def mark(client, cell_name, student, **what):
    """Save a mark of one answer, as the page does."""
    answer = client.api(f"answer/{cell_name}/{student}")
    rubric = client.api(f"question/{cell_name}")["rubric"]
    return {
        "versions": {student: answer["grading"]["version"]},
        "mark": {"chosen": [], "adjustment": 0, "comment": "", "done": True, **what},
        "rubric_revision": rubric["revision"],
        "digests": {student: answer["digest"]},
    }


# -- permissions


def test_without_a_login_there_is_no_page_and_no_data(running):
    stranger = Client(running.port)
    status, headers, _ = stranger.call("/hw-grading/hw2/")
    assert (status, headers["Location"].partition("?")[0]) == (302, "/login")
    for what in ("overview", "question/plot", "answer/plot/ada"):
        assert "login" in stranger.api(what, status=403)["message"]
    status, _, _ = stranger.call("/hw-grading/hw2/api/thumbnail/plot/ada")
    assert status == 302
    assert stranger.call("/hw-grading/hw2/api/save/plot", {})[0] == 403


def test_a_stranger_cannot_fill_the_memory_of_the_server(running):
    process = psutil.Process(running.process.pid)
    before = process.memory_info().rss
    start = f"POST /hw-grading/hw2/api/save/plot HTTP/1.1\r\nHost: localhost:{running.port}\r\n"
    request = f"{start}Content-Length: 200000000\r\n\r\n".encode() + bytes(200_000_000)
    with socket.create_connection(("127.0.0.1", running.port)) as stranger:
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            stranger.sendall(request)
        assert process.memory_info().rss - before < 50e6
    running.client().api("overview")


def test_the_token_of_a_desk_opens_the_desk_alone(kim):
    of_jupyter = ["/files/gradebook.db", "/api/contents/source", "/api/kernels", "/api/sessions"]
    of_jupyter += ["/view/gradebook.db", "/nbconvert/html/autograded/ada/hw2/hw2.ipynb"]
    assert {kim.call(path)[0] for path in of_jupyter} == {404}


def test_a_browser_needs_the_xsrf_token_for_each_change(running):
    browser = Client(running.port)
    browser.call(f"/hw-grading/hw2/?token={running.token}")
    browser.call("/hw-grading/hw2/")
    assert "_xsrf" in browser.cookies
    refused = browser.api("grader", {"name": "Kim"}, 403)
    assert "Load it again" in refused["message"]
    named = browser.api("grader", {"name": "Kim"}, X_XSRFToken=browser.cookies["_xsrf"])
    assert named == {"grader": "Kim"}
    assert browser.api("overview")["grader"] == "Kim"
    for path in ("hw2/", "hw2/api/overview", "hw2/api/thumbnail/plot/ada"):
        assert running.client().call(f"/hw-grading/{path}", Host="evil.example")[0] == 403


def test_a_name_is_asked_for_before_anything_is_saved(running):
    nobody = running.client("")
    nobody.cookies["hw-grading-grader"] = '"Kim"'  # forged: it is not signed
    assert nobody.api("overview")["grader"] == ""
    body = mark(nobody, "answer", "ada")
    assert "does not know your name" in nobody.api("save/answer", body, 400)["message"]
    assert nobody.api("answer/answer/ada")["grading"]["done"] is False
    for name in ("", "a\u202eb", 7, None):
        assert nobody.api("grader", {"name": name}, 400)["message"]


# -- pages


def test_each_page_has_a_strict_policy_and_no_data_of_students(running):
    answers = ("grade/plot?student=ada", "read/double?student=ada")
    for path in ("", *answers, "grid/plot", "student/ada"):
        status, headers, content = running.client().call(f"/hw-grading/hw2/{path}")
        assert status == 200
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        page = content.decode()
        assert "It is $x^2$" not in page
        assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=", page)
        for address in re.findall(r'(?:src|href)="(/hw-grading/static/[^"]+)"', page):
            assert running.client().call(address)[0] == 200, address


PAGES = ["hw9/", "hw2/grade/none", "hw2/student/nobody", "..%2F..%2Fetc/", "static/../handlers.py"]
PAGES += ["hw2/student/%2E%2E%2Fada", "hw2/read/test_double?student=ada", "%00/"]
DATA = ["answer/plot/nobody", "answer/test_double/ada", "question/none", "none"]
DATA += ["answer/plot/%2E%2E%2Fada", "picture/plot/%2E%2E%2Fada/0"]
DATA += ["read/test_double/ada", "read/double/nobody", "read/double/%2E%2E%2Fada"]


def test_what_the_desk_does_not_have_is_not_found(kim):
    for path in PAGES:
        status, headers, content = kim.call(f"/hw-grading/{path}")
        assert status == 404, path
        assert headers["Content-Type"].startswith("text/html")
        assert b'<a href="/hw-grading/">All homeworks</a>' in content
        assert b"Traceback" not in content
    for path in DATA:
        status, _, content = kim.call(f"/hw-grading/hw2/api/{path}")
        assert (status, b"Traceback" in content) == (404, False), path


def test_the_homework_is_opened_and_others_are_refused(kim, running, toys, capsys):
    assert "/hw-grading/hw2/?token=" in running.log.read_text()
    content = kim.call("/hw-grading/%3Cb%3Ehw9/")[2]
    assert b"&lt;b&gt;hw9" in content
    assert b"<b>hw9" not in content
    assert main(["--course", str(toys.root), "desk", "hw9"]) == 2
    assert "expected one of hw2" in capsys.readouterr().err


# -- reading


def test_the_overview_counts_answers_and_names_failures(kim):
    while (seen := kim.api("overview"))["reading"]["read"] < 6:  # in the background
        time.sleep(0.1)
    by_cell = {question["cell"]: question for question in seen["questions"]}
    assert list(by_cell) == ["plot", "answer"]
    assert by_cell["plot"]["of"] == 5
    assert (by_cell["plot"]["graders"], by_cell["plot"]["now"]) == ([], [])
    assert kim.api("answer/plot/dan")["reason"] == "It looped."
    assert "not JSON" in kim.api("answer/plot/fay")["reason"]
    assert seen["reading"] == {"read": 6, "of": 6}
    still = {one["what"]: (one["who"], one["command"]) for one in seen["open"]}
    [waiting] = [what for what in still if what.endswith("answers to be graded by a person (+)")]
    assert still[waiting][1] == "hw-grading desk hw2"


# -- writing


@pytest.mark.smoke
def test_a_save_gives_points_and_one_of_an_old_version_none(kim, running):
    lee = running.client("Lee")
    body = mark(kim, "answer", "cyd", adjustment=1.5, comment="So $x$.", flagged=True)
    saved = kim.api("save/answer", body)["saved"]["cyd"]
    assert (saved["score"], saved["grader"], saved["done"]) == (1.5, "Kim", True)
    for client, own in ((kim, "1 1"), (lee, "0 0")):
        status, _, term = client.call("/hw-grading/")
        row = words(term.decode()).partition("before grades go out ")[2]
        assert status == 200
        assert re.match(rf"hw2 \d+ of 12 {own} .*answers? to be graded by a person", row), row
        assert not re.search("ada|cyd", row)
    refused = lee.api("save/answer", body)
    assert refused["saved"] == {}
    assert refused["refused"]["cyd"]["theirs"]["grader"] == "Kim"
    shown = {answer["cell"]: answer for answer in kim.api("student/cyd")["answers"]}
    assert shown["answer"]["events"][0]["score_after"] == 1.5
    assert kim.api("undo/answer", {})["undone"]["cyd"]["done"] is False


def test_a_comment_is_saved_refused_and_is_about_an_older_answer(kim, running):
    """Also on an answer whose notebook cannot be read."""
    shown = kim.api("read/double/ada")
    assert (shown["previous"], shown["next"], shown["by_hand"]) == (None, "plot", False)
    body = {"student": "ada", "line": 1, "text": MARKUP, "seen": None, "digest": shown["digest"]}
    nobody = running.client("")
    assert "does not know your name" in nobody.api("comment/double", body, 400)["message"]
    for wrong in ({"line": -1}, {"line": "1"}, {"digest": "x"}, {"seen": 7}, {"text": "a\0"}):
        assert kim.api("comment/double", body | wrong, 400)["message"], wrong
    for student, cell in (("nobody", "double"), ("../ada", "double"), ("ada", "test_double")):
        assert kim.api(f"comment/{cell}", body | {"student": student}, 404)["message"]
    [said] = kim.api("comment/double", body)["comments"]
    assert (said["outdated"], said["grader"], "<script" in said["html"]) == (False, "Kim", False)
    refused = running.client("Lee").api("comment/double", body | {"text": "mine"}, 409)
    assert (refused["kind"], refused["theirs"]["at"]) == ("comment", said["at"])
    older = body | {"seen": said["at"], "digest": "0" * 16}
    assert [one["outdated"] for one in kim.api("comment/double", older)["comments"]] == [True]
    assert "not JSON" in kim.api("read/double/fay")["missing"]


# -- while people work


def test_answers_without_a_finished_run_or_with_0_count_so(course, tmp_path):
    course.grade("ada", notebook())
    course.grade("bob", notebook(finished=False), auto=None)  # it runs
    course.grade("cyd", notebook(finished=False), manual=2.0)  # it runs again
    course.hand_in("dan")
    server = Running(course.root, tmp_path)
    try:
        kim = server.client()
        while (seen := kim.api("overview"))["reading"]["read"] < 4:
            time.sleep(0.1)
        [not_run] = [one["who"] for one in seen["open"] if one["what"] == "not graded"]
        assert not_run == ["bob", "dan"]
        plot = seen["questions"][0]
        assert (plot["graded"], plot["of"], plot["waiting"]) == (1, 2, 1)
        assert kim.api("open/plot", {"page": "0" * 32})["student"] == "ada"
        assert seen["questions"][1]["of"] == 1  # autograde gave 0 to the answers of the others
        rows = kim.api("question/plot")["students"]
        assert {row["student"]: row["failed"] for row in rows} == {"ada": False, "cyd": False}
        assert kim.api("answer/plot/bob")["status"] == "not graded"
        course.grade("eve", notebook(answer=""))  # autograde gave 0 to it

        def counts():
            one = kim.api("overview")["questions"][1]
            return one["graded"], one["by_people"], one["mean"]

        kim.api("answer/answer/eve")
        assert counts() == (2, 0, None)
        kim.api("save/answer", mark(kim, "answer", "ada", adjustment=1.5))
        assert counts() == (2, 1, 1.5)
    finally:
        server.close()


def test_a_locked_gradebook_shows_answers_and_refuses_saves(toys, kim):
    body = mark(kim, "answer", "fay")
    holder = sqlite3.connect(toys.root / "gradebook.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    refused = []
    saving = threading.Thread(
        target=lambda: refused.append(kim.api("save/answer", body, 503)["message"])
    )
    saving.start()
    try:
        assert kim.api("answer/plot/ada")["html"]
        assert not refused  # the page was shown while the save waited
        saving.join()
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert "Nothing was saved" in refused[0]
    assert kim.api("answer/answer/fay")["grading"]["done"] is False
