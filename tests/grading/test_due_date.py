"""The due date is read from the manifest and written out in English."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hw_grading.plugins.releasing import in_words

PACIFIC = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2022, 10, 4, 23, 59, 59), "Tuesday, 4 October 2022, 11:59 pm Pacific"),
        (datetime(2023, 2, 28, 12, 5), "Tuesday, 28 February 2023, 12:05 pm Pacific"),
        (datetime(2024, 1, 1, 0, 0), "Monday, 1 January 2024, 12:00 am Pacific"),
    ],
)
def test_a_due_date_is_written_out_in_english(moment, words):
    assert in_words(moment.replace(tzinfo=PACIFIC), "Pacific") == words
