"""One notebook in JupyterLab, used as a student uses it: by mouse, keyboard and menus."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, expect
from server import Server

PATIENCE = 60_000  # milliseconds; a busy machine is slow
expect.set_options(timeout=PATIENCE)

_RAN = re.compile(r"^\[\d+\]:$")


class Lab:
    """A page of the browser with one notebook open.

    Parameters
    ----------
    page
        An empty page.
    server
        A running server.
    path
        The notebook, in the server's folder.
    """

    def __init__(self, page: Page, server: Server, path: Path) -> None:
        self.page, self.server, self.path = page, server, path

    def open(self, place: str = "lab/tree") -> Lab:
        """Load JupyterLab with the notebook, and wait for its kernel.

        At "doc/tree" it shows nothing but the notebook.
        """
        where = f"{place}/{self.path.relative_to(self.server.folder).as_posix()}"
        # Without what an earlier test had open.
        self.page.goto(f"{self.server.url}{where}?reset&token={self.server.token}")
        self.wait_until_idle()
        return self

    def wait_until_idle(self) -> None:
        """Wait until there is a kernel and it has nothing to do.

        The notebook also says "idle" before it has a kernel. Then it silently ignores requests to
        run a cell.
        """
        name = self.page.locator(".jp-Toolbar-kernelName")
        expect(name).to_have_text("Python 3 (ipykernel)")
        mark = self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
        expect(mark).to_be_visible()

    # -- cells

    def cell(self, cell_id: str) -> Locator:
        """Return the cell that has this id in the file."""
        ids = [cell.id for cell in nbformat.read(self.path, as_version=4).cells]
        index = ids.index(cell_id)
        return self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')

    def edit(self, cell_id: str) -> None:
        """Click into a cell and go to its end."""
        folded = self.cell(cell_id).locator(".jp-InputPlaceholder .jp-Placeholder-content")
        if folded.is_visible():  # a test cell
            folded.click()
        editor = self.cell(cell_id).locator(".cm-content")
        editor.click()
        expect(editor).to_be_focused()
        self.page.keyboard.press("Control+End")

    def answer(self, cell_id: str, *lines: str) -> None:
        """Type an answer over the last line, ``raise NotImplementedError()``, of a stub."""
        self.edit(cell_id)
        self.page.keyboard.press("Shift+Home")  # back to the line's indentation
        self.page.keyboard.type(lines[0])
        for line in lines[1:]:
            self.page.keyboard.press("Enter")  # the editor indents
            self.page.keyboard.type(line)

    def run(self, *cell_ids: str) -> None:
        """Run cells one after another, each to its end."""
        for cell_id in cell_ids:
            prompt = self.prompt(cell_id)
            before = prompt.inner_text()
            self.edit(cell_id)
            self.page.keyboard.press("Control+Enter")
            expect(prompt).not_to_have_text(before)
            expect(prompt).to_have_text(_RAN)

    def prompt(self, cell_id: str) -> Locator:
        """Return the ``[1]:`` of a code cell, ``[*]:`` while it runs."""
        return self.cell(cell_id).locator(".jp-InputPrompt")

    def outputs(self, cell_id: str) -> Locator:
        """Return what a cell shows below its code."""
        return self.cell(cell_id).locator(".jp-OutputArea-output")

    def stderr(self) -> Locator:
        """Return all output with a red background."""
        return self.page.locator('[data-mime-type="application/vnd.jupyter.stderr"]')

    # -- menus

    def choose(self, menu: str, item: str) -> None:
        """Choose an item of the menu bar."""
        bar = self.page.locator(".lm-MenuBar-itemLabel")
        bar.filter(has_text=_exactly(menu)).click()
        items = self.page.locator(".lm-Menu-itemLabel")
        items.filter(has_text=_exactly(item)).click()


def _exactly(text: str) -> Any:
    return re.compile(rf"^{re.escape(text)}$")
