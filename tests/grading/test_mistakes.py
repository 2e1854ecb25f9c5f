"""What students are told of known mistakes has been judged, and none of it misleads."""

import tomllib
from collections import Counter

import pytest

from benchmarks.mistakes import LEADS, NEUTRAL, NOT_JUDGED, NOT_NOTICED, TABLE, told

ENTRIES = [
    entry
    for cells in tomllib.loads(TABLE.read_text(encoding="utf-8")).values()
    for entries in cells.values()
    for entry in entries
]
# Of which the messages are made again, by known causes and by errors.
CELLS = ["standardize", "relu_activation", "central_difference", "backward_pass", "q1_3b_i"]


def test_four_in_five_mistakes_lead_to_the_fix_and_none_misleads():
    verdicts = Counter(entry.get("verdict", NOT_NOTICED) for entry in ENTRIES)
    assert len(ENTRIES) >= 150
    assert verdicts.keys() <= {LEADS, NEUTRAL, NOT_NOTICED}
    assert verdicts[LEADS] >= 0.8 * len(ENTRIES)


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_a_message_that_has_changed_has_to_be_judged_again(cell):
    assert [
        f"{one.mistake}: {one.message}" for one in told(cell) if one.verdict == NOT_JUDGED
    ] == []
