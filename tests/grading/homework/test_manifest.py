"""A mistake in a manifest gives one line: the file, the key, what is allowed, what was found."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hw_grading.homework.homework import Manifest, ManifestError, homework_of, read_manifest
from hw_grading.plugins.releasing import due_in_words

PACIFIC = 'time_zone = "America/Los_Angeles"\n'


@pytest.fixture
def path(tmp_path):
    return tmp_path / "homework.toml"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("title = 3", "title: expected a valid string, found 3"),
        ('due = "2022-02-30 23:59:59"', "expected a date that exists, such as"),
        (f'{PACIFIC}due = "9999-12-31 23:59:59"', "due, time_zone: expected a date that exists"),
        ('time_zone = "Pacific"', "such as America/Los_Angeles, found None, 'Pacific'"),
        ('preload = ["numpy", true]', "preload.1: expected a valid string, found True"),
        ("[limits.q1]\ncpu_seconds = 0", "limits.q1.cpu_seconds: expected greater than 0"),
        ('titel = "x"', "titel: there is no such key, expected one of title, points"),
        ('[plots]\nq1 = "legend, titel"', "plots.q1: expected conditions such as legend, title, "),
        ('[plots]\nq1 = "of=loss"', "with names of `arrays`, separated by a comma and a blank"),
        (f'"a\\nb" = "{"long " * 1000}"', "a b: there is no such key"),
        ("points = 1\npoints = 2\npreload = []", "line 2"),
        ('points = 1\ntitle = "Übung"'.encode("latin-1"), "save the file in UTF-8"),
    ],
)
def test_a_mistake_is_one_short_line_that_names_the_file(path, content, said):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ManifestError) as error:
        read_manifest(path)
    text = str(error.value)
    assert text.startswith(str(path))
    assert said in text
    assert "\n" not in text
    assert len(text) - len(str(path)) < 400


def test_a_repeated_time_is_the_first_one(path):
    path.write_text(f'{PACIFIC}due = "2022-11-06 01:30:00"')
    assert read_manifest(path).due_moment.tzname() == "PDT"


def test_a_homework_without_a_manifest_leaves_every_key_out(tmp_path):
    assert homework_of(tmp_path, "hw3").manifest == Manifest()
    assert Manifest().due_moment is None


def test_a_homework_has_its_code_and_a_manifest_without_mistakes(tmp_path):
    staff = tmp_path / "staff" / "ps1"
    (staff / "answers").mkdir(parents=True)
    (staff / "homework.toml").write_text('preload = ["numpy"]')
    for name in ("__init__.py", "fresh.py", "answers/right.py"):
        (staff / name).touch()
    found = homework_of(tmp_path, "ps1")
    assert [*found.code] == ["staff/ps1/__init__.py", "staff/ps1/fresh.py"]
    assert found.modules == ["numpy", "staff.ps1", "staff.ps1.fresh"]
    (staff / "homework.toml").write_text("points = -3")
    with pytest.raises(ManifestError, match=re.escape(str(staff / "homework.toml"))):
        homework_of(tmp_path, "ps1")


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2022, 10, 4, 23, 59, 59), "Tuesday, 4 October 2022, 11:59 pm Pacific"),
        (datetime(2023, 2, 28, 12, 5), "Tuesday, 28 February 2023, 12:05 pm Pacific"),
        (datetime(2024, 1, 1, 0, 0), "Monday, 1 January 2024, 12:00 am Pacific"),
    ],
)
def test_a_due_date_is_written_out_in_english(moment, words):
    assert due_in_words(moment.replace(tzinfo=ZoneInfo("America/Los_Angeles")), "Pacific") == words
