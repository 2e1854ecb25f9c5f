"""One browser and one JupyterLab for a module, a page for each test."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from chromium import chromium
from lab import PATIENCE, Lab
from playwright.sync_api import Browser, ConsoleMessage, Error, Page
from server import Server, start

# JupyterLab puts a text into the page before it looks up its pictures; a test sees them.
NOT_OURS = r"net::ERR_UNKNOWN_URL_SCHEME \(attachment:[\w.]+\)$"


@dataclass
class Console:
    """The errors of one page: messages of level "error", and exceptions that nothing caught."""

    errors: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Record the errors of the page from now on."""
        page.on("console", self._message)
        page.on("pageerror", self._exception)

    def _message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _exception(self, error: Error) -> None:
        source = re.search(r"https?://[^\s?:]+(:\d+)?[^\s?:]*", error.stack or "")
        self.errors.append(f"uncaught: {error}" + (f" ({source[0]})" if source else ""))

    def ours(self) -> list[str]:
        """Return the errors that `NOT_OURS` does not explain."""
        return [error for error in self.errors if not re.search(NOT_OURS, error)]


def pytest_configure(config: pytest.Config) -> None:
    """Show no warnings of nbgrader's code."""
    config.addinivalue_line("filterwarnings", "ignore::sqlalchemy.exc.SAWarning")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    records = tmp_path_factory.mktemp("records")
    running = start(tmp_path_factory.mktemp("homework"), records)
    yield running
    running.close()


@pytest.fixture
def console() -> Console:
    return Console()


@pytest.fixture
def page(browser: Browser, console: Console) -> Iterator[Page]:
    """Yield an empty page. The test fails if the page's console has an error of ours."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    empty = context.new_page()
    empty.set_default_timeout(PATIENCE)
    console.listen(empty)
    yield empty
    context.close()
    assert console.ours() == []


@pytest.fixture
def opened(page: Page, server: Server, request: pytest.FixtureRequest) -> Iterator[Callable]:
    """Open a notebook in JupyterLab."""

    def in_lab(notebook: Path) -> Lab:
        path = server.folder / request.node.name / "hw2.ipynb"
        path.parent.mkdir()
        shutil.copy(notebook, path)
        return Lab(page, server, path).open()

    yield in_lab
    server.end_kernels()
