"""JupyterHub on a separate machine, installed as docs/jupyterhub.md says."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from audit import installed
from machine import Machine
from playwright.sync_api import Browser, Page

from hw_grading.homework.course import REPOSITORY

PAGE = REPOSITORY / "docs" / "jupyterhub.md"
DEPLOY = REPOSITORY / "deploy" / "jupyterhub"
COURSE, COURSE_USER = "/srv/intro-ml/course", "course-intro-ml"
EXCHANGE = "/srv/intro-ml/exchange"
FRONT = Path(__file__).with_name("front.py")
NAME = "hub.test"  # names below it are those of servers
SECONDS_TO_START = 120

# All but the password, and minutes of waiting.
CONFIG = """
load_subconfig("/etc/jupyterhub/jupyterhub_config.py")

from jupyterhub.auth import DummyAuthenticator
from unix_groups import UnixGroups


class AnyPassword(UnixGroups, DummyAuthenticator):
    pass


c = get_config()
c.JupyterHub.authenticator_class = AnyPassword
c.Authenticator.auth_refresh_age = 1
c.JupyterHub.services[0]["command"].append("--HubOAuth.cache_max_age=1")
"""


def commands(heading: str) -> str:
    """Return the commands in a section of the documentation."""
    text = PAGE.read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert blocks, heading
    return "\n".join(blocks)


def wait_for(what: Callable[[], object], seconds: float = 60) -> None:
    """Wait until a function returns something true."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.3)


def address_for_the_front() -> tuple[str, str]:
    """Return the host and the port to which, says the documentation, a web server shall lead."""
    found = re.search(r"The hub listens on ([\d.]+):(\d+)\.", PAGE.read_text(encoding="utf-8"))
    assert found
    return found[1], found[2]


def prepare(machine: Machine) -> None:
    """Follow the documentation on a machine, with homework hw0 of this repository."""
    installed("configurable-http-proxy", DEPLOY)
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
    """A hub that can be started and stopped.

    Attributes
    ----------
    machine
        Where it runs.
    port
        Outside of the machine, at which all host names end.
    browser
        The browser in which people log in.
    """

    machine: Machine
    port: int
    browser: Browser
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @classmethod
    @contextmanager
    def installed(cls, machine: Machine, browser: Browser) -> Iterator[Hub]:
        """Install a hub, not started, behind a web server; it stops at the end."""
        prepare(machine)
        with socket.create_server(("127.0.0.1", 0)) as front:
            hub = cls(machine, front.getsockname()[1], browser)
            settings = machine.path("/etc/jupyterhub/jupyterhub_config.py")
            settings.write_text(settings.read_text().replace('HOST = ""', f'HOST = "{hub.url}"'))
            machine.path("/etc/jupyterhub/test_config.py").write_text(CONFIG)
            words = [sys.executable, str(FRONT), str(front.fileno()), *address_for_the_front()]
            command = machine.in_network(*words)
            with subprocess.Popen(command, pass_fds=[front.fileno()]) as web_server:
                try:
                    yield hub
                except BaseException:
                    print((machine.state / "log").read_text(errors="replace"))
                    raise
                finally:
                    web_server.kill()
                    hub.kill()

    def start(self) -> None:
        """Start the hub, and wait until the course's server answers behind it."""
        assert self._running is None
        command = self.machine.command(
            "/opt/intro-ml/venv/bin/jupyterhub", "-f", "/etc/jupyterhub/test_config.py"
        )
        with (self.machine.state / "log").open("ab") as log:
            self._running = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.wait_for_the_course()

    def wait_for_the_course(self) -> None:
        """Wait until the course's server answers."""
        assert self._running
        until = time.monotonic() + SECONDS_TO_START
        while not self._answers(f"{self.course}/api"):
            if time.monotonic() > until or self._running.poll() is not None:
                raise RuntimeError("the course's server did not start")
            time.sleep(0.3)

    def process(self) -> psutil.Process:
        """Return the hub itself, which started the proxy and all servers."""
        assert self._running
        below = psutil.Process(self._running.pid).children(recursive=True)
        [found] = [process for process in below if process.name() == "jupyterhub"]
        return found

    def stop(self) -> None:
        """Stop the hub like the system does, and with it all that it started."""
        assert self._running
        self.process().terminate()
        self._running.wait(SECONDS_TO_START)
        self._running = None

    def kill(self) -> None:
        """End all that still runs."""
        if self._running:
            os.killpg(self._running.pid, signal.SIGKILL)  # the namespace's first process ends all
            self._running.wait()
            self._running = None

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

    def _answers(self, url: str) -> bool:
        parts = urllib.parse.urlsplit(url)
        here = f"http://127.0.0.1:{self.port}{parts.path}"
        request = urllib.request.Request(here, headers={"Host": parts.netloc})
        try:
            with urllib.request.urlopen(request, timeout=10):
                return True
        except (http.client.HTTPException, OSError):
            return False
