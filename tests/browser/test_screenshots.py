"""The pictures of the documentation can be taken again."""

import pytest

from tools import build_screenshots
from tools.build_screenshots import main

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


def test_the_pictures_can_be_taken_again_and_are_small(tmp_path, monkeypatch):
    monkeypatch.setattr(build_screenshots, "PICTURES", tmp_path)
    assert main() == 0
    pictures = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert pictures.keys() == {"notebook.png", "desk.png", "grid.png", "feedback.png"}
    for picture in pictures.values():
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 150_000
