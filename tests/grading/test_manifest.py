"""A mistake in a manifest gives one line: the file, the key, the value, and what is allowed."""

import re

import pytest

from hw_grading.homework import homework
from hw_grading.homework.homework import (
    KINDS,
    Manifest,
    ManifestError,
    homework_of,
    manifest_of,
    read_manifest,
)
from hw_grading.outcome import GraderFault

TEXT, NUMBER = "text in quotes", "a number, without quotes"
LIST, SECTION = "a list of texts", "a section [limits.GRADE_ID]"
DATE = 'a date that exists, written as "2022-10-04 23:59:59"'
ZONE = "an IANA name, such as America/Los_Angeles"
PACIFIC = 'time_zone = "America/Los_Angeles"\n'


def refused(tmp_path, content):
    path = tmp_path / "homework.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ManifestError) as error:
        read_manifest(path)
    said = str(error.value)
    assert said.startswith(str(path))
    assert "\n" not in said
    assert said.endswith(".")
    assert len(said) - len(str(path)) < 300
    return said.removeprefix(str(path))


@pytest.mark.parametrize(
    ("line", "key", "found", "allowed"),
    [
        ("title = 3", "title", "3", TEXT),
        ("title = {}", "title", "{}", TEXT),
        ('points = "100"', "points", "'100'", NUMBER),
        ("points = true", "points", "true", NUMBER),
        ("points = -1", "points", "-1", "a number of 0 or more"),
        ("points = nan", "points", "nan", "a finite number"),
        ("points = inf", "points", "inf", "a finite number"),
        ("due = 2022-10-04", "due", "2022-10-04", TEXT),
        ("due = 2022-10-04 23:59:59", "due", "2022-10-04 23:59:59", TEXT),
        ('due = "2022-02-30 23:59:59"', "due", "'2022-02-30 23:59:59'", DATE),
        ('due = "2023-02-29 23:59:59"', "due", "'2023-02-29 23:59:59'", DATE),
        ('due = "2022-10-04"', "due", "'2022-10-04'", DATE),
        ('due = "4 October 2022"', "due", "'4 October 2022'", DATE),
        ('due = "2022-10-04 24:00:00"', "due", "'2022-10-04 24:00:00'", DATE),
        ('due = "0001-01-01 00:00:00"', "due", "'0001-01-01 00:00:00'", "1970 to 2999"),
        ('due = "9999-12-31 23:59:59"', "due", "'9999-12-31 23:59:59'", "1970 to 2999"),
        ('time_zone = "Pacific"', "time_zone", "'Pacific'", ZONE),
        ('time_zone = "America"', "time_zone", "'America'", ZONE),
        ('time_zone = ""', "time_zone", "''", ZONE),
        ('time_zone = "../../etc/passwd"', "time_zone", "'../../etc/passwd'", ZONE),
        ("time_zone = -8", "time_zone", "-8", TEXT),
        ('preload = ["numpy", true]', "preload[1]", "true", TEXT),
        ("limits = 3", "limits", "3", SECTION),
        ("[limits]\nq1 = 3", "limits.q1", "3", SECTION),
        ('[limits.q1]\ncpu_seconds = "3"', "limits.q1.cpu_seconds", "'3'", NUMBER),
        ("[limits.q1]\ncpu_seconds = 0", "limits.q1.cpu_seconds", "0", "a number above 0"),
        ("[limits.q1]\nwall_seconds = 1e9", "limits.q1.wall_seconds", "1000000000.0", "86400"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused(tmp_path, line, key, found, allowed):
    said = refused(tmp_path, line)
    assert said.startswith(f": {key} is {found}. Allowed: ")
    assert allowed in said


def test_an_unknown_key_is_refused_with_the_known_ones(tmp_path):
    said = refused(tmp_path, 'titel = "x"')
    assert said.startswith(": titel is 'x', but there is no such key. Allowed keys here: ")
    assert said.endswith(", ".join(Manifest.model_fields) + ".")


def test_an_unknown_limit_is_refused_with_the_known_ones(tmp_path):
    said = refused(tmp_path, "[limits.q1]\nseconds = 3")
    assert said.startswith(": limits.q1.seconds is 3, but there is no such key.")
    assert said.endswith(f"Allowed keys here: {', '.join(KINDS)}.")


def test_a_key_with_a_line_break_and_a_long_value_stay_on_one_short_line(tmp_path):
    said = refused(tmp_path, f'"a\\nb" = "{"long " * 1000}"')
    assert said.startswith(r": 'a\nb' is 'long long")
    assert "…, but there is no such key" in said


@pytest.mark.parametrize(
    ("zone", "due"),
    [("America/Los_Angeles", "2022-03-13 02:30:00"), ("Europe/Zurich", "2030-03-31 02:00:00")],
)
def test_a_time_that_clocks_skip_is_refused(tmp_path, zone, due):
    said = refused(tmp_path, f'time_zone = "{zone}"\ndue = "{due}"')
    assert said.startswith(f": due is '{due}', which does not exist in {zone}: the clocks skip it")
    assert said.endswith("Choose another time.")


@pytest.mark.parametrize("due", ["2022-03-13 01:59:59", "2022-03-13 03:00:00"])
def test_a_time_just_before_or_after_the_skip_is_allowed(tmp_path, due):
    path = tmp_path / "homework.toml"
    path.write_text(f'{PACIFIC}due = "{due}"')
    assert str(read_manifest(path).due_moment.replace(tzinfo=None)) == due


def test_a_repeated_time_is_the_first_one(tmp_path):
    path = tmp_path / "homework.toml"
    path.write_text(f'{PACIFIC}due = "2022-11-06 01:30:00"')
    assert read_manifest(path).due_moment.tzname() == "PDT"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("points = ", "at end of document"),
        ("title = x\n", "line 1"),
        ("points = 1\npoints = 2\npreload = []\n", "line 2"),
        ("points = 1\n[limits\n", "line 2"),
        ('title = "two\nlines"', "line 1"),
    ],
)
def test_invalid_toml_is_reported_with_its_place(tmp_path, text, where):
    said = refused(tmp_path, text)
    assert said.startswith(" is not TOML: ")
    assert where in said
    assert "Write lines such as points = 100" in said


@pytest.mark.parametrize(
    ("content", "line", "byte"),
    [
        ('points = 1\ntitle = "Übung"'.encode("latin-1"), 2, "0xdc"),
        ('title = "x"'.encode("utf-16"), 1, "0xff"),
    ],
)
def test_invalid_utf_8_is_reported_with_its_place(tmp_path, content, line, byte):
    said = refused(tmp_path, content)
    assert said.startswith(f", line {line}, has the byte {byte}, which is not UTF-8.")
    assert "Save the file in UTF-8" in said


def test_a_byte_order_mark_and_other_line_ends_are_accepted(tmp_path):
    path = tmp_path / "homework.toml"
    path.write_bytes('\ufefftitle = "Übung"\r\npoints = 3\r\n'.encode())
    assert read_manifest(path) == Manifest(title="Übung", points=3.0)


def test_a_manifest_that_is_a_folder_is_named(tmp_path):
    (tmp_path / "homework.toml").mkdir()
    with pytest.raises(ManifestError, match=r"homework\.toml cannot be read \(Is a directory\)"):
        read_manifest(tmp_path / "homework.toml")


def test_a_homework_without_a_manifest_leaves_every_key_out(tmp_path):
    assert homework_of(tmp_path, "hw3").manifest == Manifest()
    assert Manifest().due_moment is None


def test_a_mistake_is_the_graders_fault_and_names_the_course(tmp_path):
    folder = tmp_path / "staff" / "hw3"
    folder.mkdir(parents=True)
    (folder / "homework.toml").write_text("points = -3")
    with pytest.raises(GraderFault, match=re.escape(str(folder / "homework.toml"))):
        homework_of(tmp_path, "hw3")


def test_every_error_type_of_pydantic_has_our_own_words(tmp_path):
    """Each key with values of each type that TOML has."""
    values = ["1", "1.5", "true", '"x"', "[1]", '["x"]', "{ a = 1 }", "2022-01-01", "12:00:00"]
    path = tmp_path / "homework.toml"
    told = []
    for key in [*Manifest.model_fields, *(f"limits.q1.{kind}" for kind in KINDS)]:
        for value in values:
            path.write_text(f"{key} = {value}")
            try:
                read_manifest(path)
            except ManifestError as error:
                told.append((key, str(error)))
    assert len(told) > 80
    for key, said in told:
        assert key in said
        assert re.search(r" Allowed(: an? |: text |: '| keys here: )", said)


def test_a_manifest_is_read_without_the_code_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(homework, "_MOST_BYTES", 10)
    staff = tmp_path / "staff" / "ps1"
    staff.mkdir(parents=True)
    (staff / "homework.toml").write_text('title = "Loops"')
    (staff / "fresh.py").write_text("right = 1\n" * 10)
    assert manifest_of(tmp_path, "ps1").title == "Loops"
    with pytest.raises(ManifestError, match="more than 10 bytes"):
        homework_of(tmp_path, "ps1")
