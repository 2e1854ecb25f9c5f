"""Fork servers that start before the course is read serve it, if they suit it."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from hw_grading.examiner import client
from hw_grading.homework.homework import Homework
from hw_grading.sandbox import kernel_process

ONE, OTHER = Homework("one"), Homework("other", code={"staff/other/fresh.py": b""})


@pytest.fixture(autouse=True)
def without_servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process has no fork servers; afterwards it has those that it had."""
    monkeypatch.setattr(client, "_server", None)
    monkeypatch.setattr(kernel_process, "_current", None)
    monkeypatch.setattr(kernel_process, "_from_scratch", False)
    yield
    if client._server:
        client._server.end()
    if kernel_process._current:
        kernel_process._current.end()


def test_an_early_server_of_kernels_gets_the_homeworks_modules() -> None:
    kernel_process.begin_early(1)
    early = kernel_process._current
    assert early
    kernel_process.begin(1, ["colorsys"])
    kernel_process.wait_until_ready()
    assert kernel_process._current is early
    assert early.shown.preload == ("colorsys",)


@pytest.mark.parametrize(("threads", "modules"), [(2, []), (1, ["wave"])])
def test_a_server_of_kernels_that_does_not_suit_is_ended(threads: int, modules: list[str]) -> None:
    kernel_process.begin_early(1)
    early = kernel_process._current
    assert early
    if modules:  # those of another homework are known already
        kernel_process.begin(1, ["colorsys"])
    kernel_process.begin(threads, modules)
    assert kernel_process._current is not early
    assert early.has_ended()


def test_an_early_examiner_gets_the_homeworks_code() -> None:
    client.begin_early()
    early = client._server
    client.begin(ONE)()
    assert client._server is early


def test_an_early_examiner_is_ended_if_settings_change_the_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.begin_early()
    early = client._server
    assert early
    monkeypatch.setenv("OF_THE_COURSE", "1")
    wait = client.begin(ONE)
    assert client._server is not early
    assert early.has_ended()
    wait()


def test_an_examiner_of_another_homework_is_another_process() -> None:
    client.begin_early()
    client.begin(ONE)()
    first = client._server
    client.begin(OTHER)()
    assert client._server is not first


def test_an_extension_of_nbgrader_that_is_needed_later_is_imported_then() -> None:
    code = """
import sys
from hw_grading.grade import early
early._import_nbgrader()
assert "nbgrader.exchange" not in sys.modules
from nbgrader.server_extensions.formgrader import load_jupyter_server_extension
assert callable(load_jupyter_server_extension)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
