"""What students are told of known mistakes has been judged, and none of it misleads."""

import tomllib
from collections import Counter

import pytest

from benchmarks.mistakes import LEADS, NEUTRAL, NOT_JUDGED, NOT_NOTICED, TABLE, told

BY_CELL = {
    (homework, cell): entries
    for homework, cells in tomllib.loads(TABLE.read_text(encoding="utf-8")).items()
    for cell, entries in cells.items()
}
ENTRIES = [entry for entries in BY_CELL.values() for entry in entries]


def test_four_in_five_mistakes_lead_to_the_fix_and_none_misleads():
    verdicts = Counter(entry.get("verdict", NOT_NOTICED) for entry in ENTRIES)
    assert len(ENTRIES) >= 150
    assert verdicts.keys() <= {LEADS, NEUTRAL, NOT_NOTICED}
    assert verdicts[LEADS] >= 0.8 * len(ENTRIES)


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["central_difference", "backward_pass", "q1_3b_i"])
def test_a_message_that_has_changed_has_to_be_judged_again(cell):
    assert [
        f"{one.mistake}: {one.message}" for one in told(cell) if one.verdict == NOT_JUDGED
    ] == []


@pytest.mark.slow
def test_a_known_mistake_is_told_in_its_own_words():
    known = {
        (cell, entry["mistake"]): entry["likely"].rstrip("?")
        for (_, cell), entries in BY_CELL.items()
        for entry in entries
        if "likely" in entry
    }
    silent = [
        one.mistake
        for cell in ("standardize", "relu_activation")
        for one in told(cell)
        if known.get((cell, one.mistake), "") not in one.message
    ]
    assert silent == []
