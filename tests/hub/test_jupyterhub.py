"""A homework on JupyterHub, from release to grading by hand, by six people in Chromium."""

import contextlib
import html
import re
from pathlib import Path

import nbformat
import psutil
import pytest
from hub import COURSE, COURSE_USER, DEPLOY, EXCHANGE, Hub, wait_for
from lab import PATIENCE, Lab
from nbgrader.api import Gradebook
from playwright.sync_api import Page, expect

from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.book import ManualGrading
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.source_notebook import solved

HOMEWORK = "hw0"
TYPED = "return np.array(x).reshape(-1, 1)"
# An answer that works only if it can read the course's files.
PEEKING = f"""def as_column(x):
    open("{COURSE}/gradebook.db").close()
    {TYPED}"""
MILLISECONDS_TO_GRADE = 240_000

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hub")]


def notebook_of(hub: Hub, student: str) -> Path:
    return hub.machine.path(f"/home/{student}/{HOMEWORK}/{HOMEWORK}.ipynb")


def assignment_list(hub: Hub, student: str) -> Page:
    """Log a student in, which starts the student's server, and fetch the homework by the list."""
    page = hub.log_in(student)
    page.set_default_timeout(PATIENCE)
    page.goto(f"{hub.url}/hub/spawn")
    page.wait_for_url(f"**/user/{student}/lab**")
    open_list(page)
    page.locator("#released_assignments_list").get_by_role("button", name="Fetch").click()
    expect(page.locator("#fetched_assignments_list")).to_contain_text(HOMEWORK)
    assert notebook_of(hub, student).exists()
    return page


def open_list(page: Page) -> None:
    page.get_by_role("menuitem", name="Nbgrader").click()
    page.get_by_role("menuitem", name="Assignment List").click()


def answer(path: Path, as_column: str | None) -> None:
    """Replace the stubs by the instructor's answers, except for one."""
    released = nbformat.read(path, as_version=4)
    source = nbformat.read(REPOSITORY / "source" / HOMEWORK / f"{HOMEWORK}.ipynb", as_version=4)
    notebook = solved(released, source)
    stub = cell_of(released, "as_column").source
    cell_of(notebook, "as_column").source = stub if as_column is None else as_column
    nbformat.write(notebook, path)  # the file stays the student's


@pytest.fixture(scope="module")
def students(hub: Hub) -> dict[str, Page]:
    """Two students who submitted: ada typed one answer; bob's code reads the course."""
    machine = hub.machine
    for command in (["generate_assignment", "--create", "--force"], ["release_assignment"]):
        machine.run("nbgrader", *command, HOMEWORK, user=COURSE_USER, folder=COURSE)

    pages = {name: assignment_list(hub, name) for name in ("ada", "bob")}
    answer(notebook_of(hub, "ada"), None)
    answer(notebook_of(hub, "bob"), PEEKING)

    ada = pages["ada"]
    ada.goto(f"{hub.server('ada')}/lab/tree/{HOMEWORK}/{HOMEWORK}.ipynb?reset")
    lab = Lab(ada, None, notebook_of(hub, "ada"))  # type: ignore[arg-type]
    lab.wait_until_idle()
    lab.run("setup")
    lab.answer("as-column", TYPED)
    lab.run("as-column", "test-as-column")
    expect(lab.outputs("test-as-column").first).to_contain_text("as_column: 1 of 1 points")
    ada.keyboard.press("Control+s")
    wait_for(lambda: TYPED in notebook_of(hub, "ada").read_text())
    open_list(ada)

    for page in pages.values():
        expect(page.locator("#fetched_assignments_list")).to_contain_text(HOMEWORK)
        page.locator("#fetched_assignments_list").get_by_role("button", name="Submit").click()
        expect(page.locator("#submitted_assignments_list")).to_contain_text(HOMEWORK)
    return pages


@pytest.fixture(scope="module")
def instructor(hub: Hub, students: dict[str, Page]) -> Page:
    """An instructor who collected by formgrader's button and graded by a command."""
    page = hub.log_in("ines")
    page.set_default_timeout(PATIENCE)
    page.get_by_role("button", name="Services").click()
    link = page.get_by_role("link", name="intro-ml").get_attribute("href")
    assert link == re.sub(r"^http:|:\d+", "", f"{hub.course}/")  # the hub leaves out the port
    page.goto(f"{hub.course}/lab")
    page.goto(f"{hub.course}/formgrader/manage_assignments")
    page.get_by_role("row", name=HOMEWORK).locator(".collect a").click()
    done = page.locator("#success-modal, #error-modal")
    expect(done).to_contain_text(f"Successfully collected submissions of '{HOMEWORK}'")
    page.goto(f"{hub.course}/terminals/new")
    page.locator(".xterm-helper-textarea").wait_for(state="attached")
    page.locator(".xterm").click()
    page.keyboard.type(f"nbgrader autograde {HOMEWORK} > printed 2>&1; echo $? > status\n")
    status, printed = (hub.machine.path(f"{COURSE}/{name}") for name in ("status", "printed"))
    wait_for(lambda: status.exists() and status.read_text(), MILLISECONDS_TO_GRADE / 1000)
    assert status.read_text() == "0\n", printed.read_text()
    return page


def scores(hub: Hub, student: str) -> dict[str, float | None]:
    with Gradebook(f"sqlite:///{hub.machine.path(COURSE)}/gradebook.db") as book:
        [notebook] = book.find_submission(HOMEWORK, student).notebooks
        return {grade.name: grade.auto_score for grade in notebook.grades}


@pytest.mark.usefixtures("instructor")
def test_submissions_are_collected_and_graded_in_the_sandbox(hub: Hub) -> None:
    folder = hub.machine.path(f"{EXCHANGE}/intro-ml/inbound")
    assert sorted(path.name.split("+")[0] for path in folder.iterdir()) == ["ada", "bob"]
    ada, bob = scores(hub, "ada"), scores(hub, "bob")
    assert ada["test_as_column"] == 1
    assert sum(filter(None, ada.values())) == 7
    assert bob["test_as_column"] == 0  # the gradebook was not there
    assert {**bob, "test_as_column": 1} == ada


def test_a_grader_has_the_name_of_the_login_on_the_desk(hub: Hub, instructor: Page) -> None:
    gwen = hub.log_in("gwen")
    gwen.set_default_timeout(PATIENCE)
    gwen.goto(f"{hub.course}/formgrader/manage_assignments")
    gwen.get_by_role("link", name="Grade by Question").click()
    for page, name, student in ((gwen, "gwen", "ada"), (instructor, "ines", "bob")):
        page.goto(f"{hub.course}/hw-grading/{HOMEWORK}/grade/error_text?student={student}")
        expect(page.locator("#work:not([aria-busy])")).to_be_visible()
        expect(page.locator("#marking[aria-busy=false]")).to_be_visible()
        page.keyboard.press("1")
        expect(page.locator("#state")).to_have_text("Saved")
        events = ManualGrading(Course(hub.machine.path(COURSE)), HOMEWORK).history(
            "error_text", student
        )
        assert {event.grader for event in events} == {name}
    with Gradebook(f"sqlite:///{hub.machine.path(COURSE)}/gradebook.db") as book:
        for student in ("ada", "bob"):
            grade = book.find_grade("error_text", HOMEWORK, HOMEWORK, student)
            assert grade.manual_score is not None


def test_feedback_comes_back_by_the_assignment_list(
    hub: Hub, students: dict[str, Page], instructor: Page
) -> None:
    for command in ("generate_feedback", "release_feedback"):
        hub.machine.run("nbgrader", command, HOMEWORK, user=COURSE_USER, folder=COURSE)
    ada = students["ada"]
    ada.locator("#refresh_assignments_list").click()
    ada.get_by_role("button", name="Fetch Feedback").click()
    folder = notebook_of(hub, "ada").parent / "feedback"
    wait_for(lambda: list(folder.glob(f"*/{HOMEWORK}.html")))
    (page,) = folder.glob(f"*/{HOMEWORK}.html")
    assert TYPED in html.unescape(re.sub("<[^>]*>", "", page.read_text()))


def test_nobody_can_open_anothers_or_the_courses_server(
    hub: Hub, students: dict[str, Page], instructor: Page
) -> None:
    ada = students["ada"]
    assert hub.status(ada, f"{hub.server('ada')}/api/contents/{HOMEWORK}") == 200
    desk = f"hw-grading/{HOMEWORK}/"
    for place in ("lab", "formgrader/", desk, f"{desk}api/overview", "api/contents/gradebook.db"):
        assert hub.status(ada, f"{hub.course}/{place}") == 403, place
    assert hub.status(students["bob"], f"{hub.server('ada')}/lab") == 403
    assert hub.status(instructor, f"{hub.server('ada')}/lab") == 403


def test_files_of_the_course_and_of_students_are_private(
    hub: Hub, students: dict[str, Page], instructor: Page
) -> None:
    inbound = f"{EXCHANGE}/intro-ml/inbound"
    adas = next(hub.machine.path(inbound).glob("ada+*"))
    own = f"/home/bob/{HOMEWORK}/{HOMEWORK}.ipynb"
    allowed = [["cat", own], ["cat", f"{EXCHANGE}/intro-ml/outbound/{HOMEWORK}/{HOMEWORK}.ipynb"]]
    refused = [
        ["ls", COURSE],
        ["cat", f"{COURSE}/gradebook.db"],
        ["ls", f"/home/{COURSE_USER}"],
        ["cat", f"/home/ada/{HOMEWORK}/{HOMEWORK}.ipynb"],
        ["ls", inbound],
        ["mv", f"{inbound}/{adas.name}", f"{inbound}/bob+{HOMEWORK}+x"],
        ["rm", "-r", f"{EXCHANGE}/intro-ml/outbound/{HOMEWORK}"],
        ["mv", f"{EXCHANGE}/intro-ml", f"{EXCHANGE}/other"],
        ["touch", f"{EXCHANGE}/intro-ml/outbound/hw1"],
        ["cat", "/var/lib/jupyterhub/jupyterhub.sqlite"],
        ["touch", "/etc/jupyterhub/student/nbgrader_config.py"],
    ]
    for words in allowed:
        assert hub.machine.attempt(*words, user="bob").returncode == 0, words
    for words in refused:
        done = hub.machine.attempt(*words, user="bob")
        assert done.returncode != 0, words
        assert re.search("Permission denied|Operation not permitted", done.stdout), done.stdout
    assert adas.is_dir()
    assert hub.machine.attempt("ls", "/home/ada", user=COURSE_USER).returncode != 0


def test_a_user_removed_from_the_group_loses_the_course(hub: Hub) -> None:
    add = ["useradd", "--create-home", "--key", "HOME_MODE=0700", "--groups", "formgrade-intro-ml"]
    for name in ("leo", "mia"):
        hub.machine.run(*add, name)
    leo, mia = hub.log_in("leo"), hub.log_in("mia")
    place = f"{hub.course}/api/contents/nbgrader_config.py"
    for page in (leo, mia):
        page.goto(f"{hub.course}/lab")
        assert hub.status(page, place) == 200
    hub.machine.run("gpasswd", "-d", "leo", "formgrade-intro-ml")
    wait_for(lambda: hub.status(leo, place) == 403)
    assert hub.status(mia, place) == 200
    leo.goto(f"{hub.url}/hub/home")
    assert "/hub/login" in leo.url


def test_a_user_of_no_course_cannot_log_in(hub: Hub) -> None:
    for name in (COURSE_USER, "root", "mallory"):
        page = hub.log_in(name)
        expect(page.locator("body")).to_contain_text("Invalid username or password")


# A student's server is the student's own program: this one sends one page to everybody.
OWN_SERVER = """
import http.server
from jupyter_server.serverapp import ServerApp

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Homework</title>")

server = http.server.ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
server.socket = ServerApp.instance().listening
server.server_activate()
server.serve_forever()
"""
# What a page tries with the course's server: it reads, shows it in a frame, and writes.
ATTACK = """
async course => {
    const found = {};
    const api = course + "/api/contents/";
    const token = () => decodeURIComponent((document.cookie.match(/_xsrf=([^;]*)/) || ["", ""])[1]);
    async function attempt(name, what) {
        try { found[name] = await what(); } catch (error) { found[name] = "refused"; }
    }
    await attempt("read", async () => (await fetch(
        api + "nbgrader_config.py", {credentials: "include"})).text());
    await attempt("frame", () => new Promise((resolve, reject) => {
        const frame = document.createElement("iframe");
        frame.onload = () => {
            try { resolve(frame.contentDocument.title); } catch (e) { reject(e); }
        };
        frame.src = course + "/lab";
        document.body.append(frame);
    }));
    await attempt("write", async () => (await fetch(api + "stolen.txt", {
        method: "PUT", credentials: "include", headers: {"X-XSRFToken": token()},
        body: JSON.stringify({type: "file", format: "text", content: "mine"})})).status);
    return found;
}
"""


def test_a_students_page_cannot_read_or_change_the_course(hub: Hub) -> None:
    add = ["useradd", "--create-home", "--key", "HOME_MODE=0700", "--groups"]
    hub.machine.run(*add, "nbgrader-intro-ml", "eve")
    hub.machine.run(*add, "formgrade-intro-ml", "kim")
    settings = hub.machine.path("/home/eve/.jupyter/jupyter_server_config.py")
    settings.parent.mkdir()
    settings.write_text(OWN_SERVER)
    hub.machine.run("chown", "-R", "eve:eve", "/home/eve/.jupyter")
    hub.log_in("eve").goto(f"{hub.url}/hub/spawn")

    kim = hub.log_in("kim")
    kim.goto(f"{hub.course}/lab")
    own = kim.evaluate(ATTACK, hub.course)  # the course's own pages may read and write
    assert "nbgrader" in own["read"]
    assert own["frame"] == "refused"  # JupyterHub allows no frames
    assert own["write"] == 201
    stolen = hub.machine.path(f"{COURSE}/stolen.txt")
    stolen.unlink()

    wait_for(lambda: hub.status(kim, f"{hub.server('eve')}/anything") == 200)
    kim.goto(f"{hub.server('eve')}/anything")
    assert kim.title() == "Homework"
    assert kim.evaluate(ATTACK, hub.course) == dict.fromkeys(("read", "frame", "write"), "refused")
    assert not stolen.exists()


def test_a_students_server_has_limits(hub: Hub, students: dict[str, Page]) -> None:
    uid = int(hub.machine.run("id", "-u", "ada"))
    servers = [
        process
        for process in psutil.process_iter(["uids", "cmdline"])
        if process.info["uids"].real == uid and "singleuser" in str(process.info["cmdline"])
    ]
    assert servers
    for server in servers:
        lines = Path(f"/proc/{server.pid}/limits").read_text().splitlines()
        limits = {line[:25].strip(): line[25:].split()[:2] for line in lines}
        assert limits["Max processes"] == ["500"] * 2
        assert limits["Max data size"] == [str(4000 << 20)] * 2


def test_the_courses_server_keeps_no_right_of_root(hub: Hub) -> None:
    """Root has opened its port, in the same process."""
    found = []
    for process in hub.process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # a short one has ended
            found += [process] if f"root_dir={COURSE}" in str(process.cmdline()) else []
    [server] = found
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    for field, option in (("Uid", "-u"), ("Gid", "-g")):
        assert {*status[field].split()} == {hub.machine.run("id", option, COURSE_USER).strip()}
    groups = hub.machine.run("id", "-G", COURSE_USER)
    assert {*status["Groups"].split()} == {*groups.split()}
    for kind in ("Inh", "Prm", "Eff", "Amb"):
        assert int(status[f"Cap{kind}"], 16) == 0, kind


def test_the_hub_does_not_start_if_users_may_open_its_ports_or_it_has_no_name(hub: Hub) -> None:
    setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
    command = "jupyterhub -f /etc/jupyterhub/jupyterhub_config.py"
    for first in ("0", "303"):
        done = hub.machine.attempt(
            "sh", "-c", f"echo {first} >{setting}; {command}; echo 1024 >{setting}"
        )
        assert f"all users may open the ports from {first} on" in done.stdout
        assert "JupyterHub is now running" not in done.stdout
    path = "/etc/jupyterhub/without_a_name.py"
    hub.machine.path(path).write_text((DEPLOY / "jupyterhub_config.py").read_text())
    done = hub.machine.attempt("jupyterhub", "-f", path)
    assert done.returncode != 0
    assert "HOST in jupyterhub_config.py is empty" in done.stdout
