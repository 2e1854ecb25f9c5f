"""JupyterHub on a separate machine, installed as docs/jupyterhub.md says."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from machine import Machine
from playwright.sync_api import Browser, Page

from hw_grading.homework.course import REPOSITORY

PAGE = REPOSITORY / "docs" / "jupyterhub.md"
DEPLOY = REPOSITORY / "deploy" / "jupyterhub"
COURSE, COURSE_USER = "/srv/intro-ml/course", "course-intro-ml"
EXCHANGE = "/srv/intro-ml/exchange"
NAME = "hub.test"  # names below it are those of servers
SECONDS_TO_START = 120

# All but the password, ports that are free where the tests run, and minutes of waiting.
CONFIG = """
load_subconfig("/etc/jupyterhub/jupyterhub_config.py")

from jupyterhub.auth import DummyAuthenticator
from unix_groups import UnixGroups


class AnyPassword(UnixGroups, DummyAuthenticator):
    pass


c = get_config()
c.JupyterHub.authenticator_class = AnyPassword
c.Authenticator.auth_refresh_age = 1
c.JupyterHub.bind_url, c.JupyterHub.hub_bind_url, c.ConfigurableHTTPProxy.api_url, course = {urls}
c.JupyterHub.services[0]["url"] = course
c.JupyterHub.services[0]["command"].append("--HubOAuth.cache_max_age=1")
"""


def commands(heading: str) -> str:
    """Return the commands in a section of the documentation."""
    text = PAGE.read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert blocks, heading
    return "\n".join(blocks)


def install_proxy() -> None:
    """Install the proxy from the lock file, unless that version is there."""
    lock = (DEPLOY / "package-lock.json").read_bytes()
    mark = DEPLOY / "node_modules" / ".installed-from"
    if not mark.exists() or mark.read_bytes() != lock:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=DEPLOY, check=True)
        mark.write_bytes(lock)


def prepare(machine: Machine) -> None:
    """Follow the documentation on a machine, with homework hw0 of this repository."""
    install_proxy()
    shutil.copytree(DEPLOY, machine.path("/etc/jupyterhub"), symlinks=True)
    machine.path("/var/lib/jupyterhub").chmod(0o700)
    machine.run("bash", "-ec", commands("Users and groups"))
    machine.run("bash", "-ec", commands("The folders of the course"))
    course = machine.path(COURSE)
    for name in ("source/hw0", "staff/hw0", "release/hw0"):
        shutil.copytree(REPOSITORY / name, course / name)
    config = (REPOSITORY / "nbgrader_config.py").read_text(encoding="utf-8")
    setting = 'c.Exchange.root = str(HERE / "exchange")'
    instead = f'c.Exchange.root = "{EXCHANGE}"'
    assert setting in config
    assert instead in PAGE.read_text(encoding="utf-8")
    (course / "nbgrader_config.py").write_text(config.replace(setting, instead))
    machine.run("chown", "-R", f"{COURSE_USER}:{COURSE_USER}", COURSE)


@dataclass
class Hub:
    """A running hub.

    Attributes
    ----------
    machine
        Where it runs.
    port
        Of its proxy, at which all host names end.
    browser
        The browser in which people log in.
    """

    machine: Machine
    port: int
    browser: Browser

    @property
    def url(self) -> str:
        """The hub's address, without a slash at the end."""
        return f"http://{NAME}:{self.port}"

    @property
    def course(self) -> str:
        """The address of the course's server."""
        return f"http://intro-ml--service.{NAME}:{self.port}/services/intro-ml"

    def server(self, user: str) -> str:
        """Return the address of a person's server."""
        return f"http://{user}.{NAME}:{self.port}/user/{user}"

    def status(self, page: Page, url: str) -> int:
        """Return the status that the person who is logged in on a page gets at an address."""
        tab = page.context.new_page()
        try:
            response = tab.goto(url)
            assert response
            return response.status
        finally:
            tab.close()

    def log_in(self, name: str) -> Page:
        """Log somebody in, in a browser of their own; the hub then starts that person's server."""
        page = self.browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.goto(f"{self.url}/hub/login?next=%2Fhub%2Fhome")
        page.locator("#username_input").fill(name)
        page.locator("#password_input").fill("any")
        page.locator("#login_submit").click()
        page.wait_for_load_state()
        return page


@contextmanager
def running(machine: Machine, browser: Browser) -> Iterator[Hub]:
    """Start a hub, and wait until the course's server answers behind it."""
    with _free_ports(4) as ports:
        urls = tuple(f"http://127.0.0.1:{port}" for port in ports)
    hub = Hub(machine, ports[0], browser)
    settings = machine.path("/etc/jupyterhub/jupyterhub_config.py")
    settings.write_text(settings.read_text().replace('HOST = ""', f'HOST = "{hub.url}"'))
    config = machine.path("/etc/jupyterhub/test_config.py")
    config.write_text(CONFIG.format(urls=urls))
    log = machine.state / "log"
    command = machine.command(
        "/opt/intro-ml/venv/bin/jupyterhub", "-f", "/etc/jupyterhub/test_config.py"
    )
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        until = time.monotonic() + SECONDS_TO_START
        while not _answers(f"{hub.course}/api", urls[0]):
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError("the hub did not start")
            time.sleep(0.3)
        yield hub
    except BaseException:
        print(log.read_text(errors="replace"))
        raise
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the namespace's first process ends all others
        process.wait()


def _answers(url: str, proxy: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    request = urllib.request.Request(f"{proxy}{parts.path}", headers={"Host": parts.netloc})
    try:
        with urllib.request.urlopen(request, timeout=10):
            return True
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _free_ports(number: int) -> Iterator[list[int]]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    try:
        yield [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
