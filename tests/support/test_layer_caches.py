"""The caches of all layers are returned, in any layout, and none from an earlier call."""

from collections import deque

import pytest

from hw_support import expect_own_caches
from hw_support.compare import Mismatch


@pytest.mark.parametrize(
    "caches",
    [
        ["first", "second"],
        (None, "first", "second"),
        [None, None],
        ["all in one"],
        [{1: "first", 2: "second"}],
        {"x": [1.0], "W": [2.0]},
        deque(["first", None]),
        7,
    ],
    ids=str,
)
def test_any_layout_is_right(caches):
    expect_own_caches(lambda: (0.5, caches), layers=2)


@pytest.mark.parametrize("caches", [[None, "first"], ("first", None), [None, "first", None]])
def test_none_in_place_of_a_cache_is_wrong(caches):
    with pytest.raises(Mismatch, match=r"caches were returned for . layers, and None for others"):
        expect_own_caches(lambda: (0.5, caches), layers=2)


def test_caches_of_an_earlier_call_are_wrong():
    tape = []

    def forward_pass():
        tape.extend(["first", "second"])
        return 0.5, tape

    with pytest.raises(Mismatch, match="returned 2 caches and the next one 4"):
        expect_own_caches(forward_pass, layers=2)


def test_a_generator_is_not_used_up():
    caches = iter(["first", "second"])
    expect_own_caches(lambda: (0.5, caches), layers=2)
    assert list(caches) == ["first", "second"]
