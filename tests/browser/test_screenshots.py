"""The pictures of the documentation can be taken again."""

import pytest

from tools.build_screenshots import picture_of_the_desk, picture_of_the_notebook, small

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("take", [picture_of_the_notebook, picture_of_the_desk])
def test_a_picture_is_taken_and_small(take, browser, tmp_path):
    picture = small(take(browser, tmp_path))
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 150_000
