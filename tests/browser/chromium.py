"""Headless Chromium, for all tests that look at pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Run Chromium. If it is missing, skip the test; in CI, fail."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        lack("no Chromium on the PATH; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *arguments])
        yield running
        running.close()


def lack(why: str) -> None:
    """Skip the test because something is missing; in CI, fail."""
    pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
