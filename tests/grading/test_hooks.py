"""What is changed in nbgrader's objects: nbgrader still has it, and it is undone."""

import contextlib
import errno
import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import BaseConverter
from nbgrader.preprocessors import SaveAutoGrades
from sqlalchemy.exc import OperationalError

from hw_grading.plugins.hooks import DiskFull, around_the_loop, one_transaction


def test_nbgraders_own_code_has_what_is_hooked() -> None:
    start = inspect.getsource(BaseConverter.start)
    assert start.index("self.exporter_class(parent=self") < start.index("self.convert_notebooks()")
    loop = inspect.getsource(BaseConverter.convert_notebooks)
    assert "self.init_assignment(" in loop
    assert "self.convert_single_notebook(" in loop
    assert "except Exception" in loop  # so that only a `SystemExit` ends the loop
    assert "convert_notebooks" not in vars(Autograde)
    assert ".db.commit()" in inspect.getsource(Gradebook)
    assert ".db.commit()" in inspect.getsource(SaveAutoGrades)


class Converter(SimpleNamespace):
    """A converter whose loop writes what happens."""

    def convert_notebooks(self) -> None:
        self.said.append("loop")
        self.init_assignment("hw2", "ada")
        self.convert_single_notebook("hw2.ipynb")

    def init_assignment(self, *_: str) -> None:
        self.said.append("init")

    def convert_single_notebook(self, _: str) -> None:
        if self.error:
            raise self.error


def converted(error: Exception | None) -> Converter:
    directory = SimpleNamespace(
        db_url="sqlite:////course/gradebook.db", root="/course", autograded_directory="autograded"
    )
    converter: Any = Converter(said=[], error=error, coursedir=directory)

    @contextlib.contextmanager
    def block(given: Any) -> Iterator[None]:
        assert given is converter
        converter.said.append("begin")
        try:
            yield
        finally:
            converter.said.append("end")

    around_the_loop(converter, block)
    try:
        converter.convert_notebooks()
    finally:
        assert converter.said == ["begin", "loop", "init", "end"]
        assert set(vars(converter)) == {"said", "error", "coursedir"}  # nothing is left of it
    return converter


def test_the_loop_runs_inside_the_block_once() -> None:
    converter = converted(None)
    converter.convert_notebooks()
    assert converter.said[4:] == ["loop", "init"]


@pytest.mark.parametrize(
    ("error", "path"),
    [
        (OSError(errno.ENOSPC, "full", "/course/autograded/ada"), "/course/autograded/ada"),
        (OSError(errno.ENOSPC, "full"), "/course/autograded"),
        (OperationalError("", {}, Exception("database or disk is full")), "/course/gradebook.db"),
    ],
)
def test_a_full_disk_ends_the_loop_with_the_path(error: Exception, path: str) -> None:
    wrapped = RuntimeError("nbconvert failed")
    wrapped.__cause__ = error
    with pytest.raises(DiskFull, match=f"The disk is full: {path} could not be written"):
        converted(wrapped)


def test_another_error_goes_on_to_nbgrader() -> None:
    with pytest.raises(KeyError):
        converted(KeyError("x"))


def test_scores_are_committed_once_and_not_after_an_error() -> None:
    commits: list[int] = []
    gradebook: Any = SimpleNamespace(db=SimpleNamespace(commit=lambda: commits.append(1)))
    with one_transaction(gradebook):
        gradebook.db.commit()
        gradebook.db.commit()
        assert commits == []
    assert commits == [1]
    with pytest.raises(KeyError), one_transaction(gradebook):
        raise KeyError
    assert commits == [1]
    gradebook.db.commit()
    assert commits == [1, 1]
