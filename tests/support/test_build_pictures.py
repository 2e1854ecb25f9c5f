"""The pictures in the notebook's text are those that the command draws, and are described."""

import re

import nbformat
import pytest

from tools import build_pictures
from tools.build_pictures import NOTEBOOK, PICTURES, is_current, main


@pytest.fixture
def cells():
    return {cell.id: cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_current_and_its_text_describes_it(picture, cells):
    cell = cells[picture.cell]
    assert is_current(cell, picture), "run `python -m tools.build_pictures`, then `make release`"
    (alt,) = re.findall(rf"!\[([^]]+)\]\(attachment:{re.escape(picture.name)}\)", cell.source)
    assert len(alt) > 50


def test_an_older_picture_is_noticed(monkeypatch, capsys):
    assert main(["--check"]) == 0
    monkeypatch.setattr(build_pictures, "version", lambda: "another")
    assert main(["--check"]) == 1
    assert "network.png in cell q1-1 is old" in capsys.readouterr().out
