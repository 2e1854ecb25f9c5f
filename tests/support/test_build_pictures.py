"""The pictures in the notebook's text are those that the command draws, and are described."""

import re

import nbformat
import pytest

from tools.build_pictures import NOTEBOOK, PICTURES, is_current


@pytest.fixture
def cells():
    return {cell.id: cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_current_and_its_text_describes_it(picture, cells):
    cell = cells[picture.cell]
    assert is_current(cell, picture), "run `python -m tools.build_pictures`, then `make release`"
    (alt,) = re.findall(rf"!\[([^]]+)\]\(attachment:{re.escape(picture.name)}\)", cell.source)
    assert len(alt) > 50
