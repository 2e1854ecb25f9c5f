"""Fixtures of several modules."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from by_hand import Term
from postgresql import postgresql
from toy_course import course, generated_course

__all__ = ["course", "generated_course", "postgresql"]  # used by pytest, by name


def pytest_configure(config: pytest.Config) -> None:
    """Show no warnings of nbgrader's code."""
    config.addinivalue_line("filterwarnings", "ignore::sqlalchemy.exc.SAWarning")


@pytest.fixture
def term(tmp_path: Path) -> Term:
    """A course with the homework ps1."""
    return Term(tmp_path / "course").homework()


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for temporary files; its path is short, as those of sockets have to be."""
    folder = Path(tempfile.mkdtemp(prefix="t"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
