"""Who a platform means: by values that it vouches for, and never by a name alone."""

import unicodedata
from pathlib import Path

import pytest

from hw_grading.lms.roster import (
    CANVAS_ID,
    Person,
    Roster,
    Unknown,
    Who,
    last_and_first,
    people_in,
)
from hw_support.submission.file import UserError

ANN = Person("ann", sid="3031", email="ann@x.edu", name="Ann Lee", canvas_id="701")
BOB = Person("bob", sid="3032", login="bjones", name="Jones, Bob", canvas_id="702")
ZOE = Person("zoé", name="Zoé Ångström de Vries")
ROSTER = Roster([ANN, BOB, ZOE], True, "students.csv")


def keys(*found: tuple[str, str], name: str = "") -> Who:
    return Who("somebody", found, name)


SURE = {
    "an id": (keys(("id", "ann")), ANN),
    "an id in capitals": (keys(("id", "ANN")), ANN),
    "an id of another Unicode form": (keys(("id", unicodedata.normalize("NFD", "ZOÉ"))), ZOE),
    "a login": (keys(("SIS Login ID", "bjones")), BOB),
    "two values": (keys((CANVAS_ID, "702"), ("sid", "3032")), BOB),
    "a value that nobody has beside one": (keys(("sid", "9"), ("email", "ann@x.edu")), ANN),
    "an id and the name of another": (keys(("id", "bob"), name="Ann Lee"), BOB),
}


@pytest.mark.parametrize("what", SURE)
def test_a_value_that_the_platform_vouches_for_decides(what: str) -> None:
    who, person = SURE[what]
    assert ROSTER.find(who) == person


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("van der Berg, Jan Piet", ("van der Berg", "Jan Piet")),
        ("Jan Piet Berg", ("Berg", "Jan Piet")),
        ("Ada", ("Ada", "")),
        ("", ("", "")),
    ],
)
def test_a_name_keeps_all_its_words(name, expected):
    assert last_and_first(name) == expected


REFUSED = {
    "values of two students": (
        keys(("sid", "3031"), ("email", "bjones")),
        "the sid '3031' belongs to ann, but the email 'bjones' belongs to bob"),
    "a Canvas id and a number of two": (keys((CANVAS_ID, "701"), ("SIS User ID", "3032")), "but"),
    "nobody's values": (
        keys(("id", "eve"), (CANVAS_ID, "9"), name="Eve"),
        "no student in students.csv has the id 'eve' or Canvas id '9'"),
    "a number for a Canvas id": (keys((CANVAS_ID, "3031")), "has the Canvas id '3031'"),
    "a Canvas id for a number": (keys(("sid", "701")), "has the sid '701'"),
    "a name": (keys(name="Ann Lee"), "no student in students.csv has the id: only a name is known"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_values_that_contradict_or_fit_nobody_are_refused(what: str) -> None:
    who, why = REFUSED[what]
    with pytest.raises(UserError) as caught:
        ROSTER.find(who)
    assert why in str(caught.value)
    assert isinstance(caught.value, Unknown) == ("no student" in str(caught.value))


def test_a_value_of_two_students_fits_nobody() -> None:
    roster = Roster([ANN, Person("eve", sid="3031")], True, "students.csv")
    with pytest.raises(UserError, match="the sid '3031' belongs to ann and eve"):
        roster.find(keys(("sid", "3031")))


def test_without_a_list_a_new_id_is_accepted_once_in_any_case() -> None:
    roster = Roster([ANN], False, "the gradebook")
    assert roster.find(keys(("sid", "Eve"), name="Ann Lee")) == Person("Eve")
    assert roster.find(keys(("sid", "eve"))) == Person("Eve")
    assert roster.find(keys((CANVAS_ID, "9"), ("SIS Login ID", "dan"))).id == "dan"
    for bad in ("../x", "-x", "a b"):
        with pytest.raises(UserError, match="is not a student id"):
            roster.find(keys(("id", bad)))
    with pytest.raises(Unknown):
        roster.find(keys((CANVAS_ID, "9")))


LIST = 'id,name,sid\nann,Ann Lee,3031\nbob,"Jones; Bob, Jr",3032\nzoe,Zoë,\n'
FORMS = {
    "Windows' line ends and empty lines": LIST.replace("\n", "\r\n\r\n").encode(),
    "German Excel": LIST.replace(",", ";").replace("Bob; Jr", "Bob, Jr").encode("utf-8-sig"),
    "columns in capitals": LIST.replace("id,name", "ID, Name ").rstrip("\n").encode(),
}


@pytest.mark.parametrize("what", FORMS)
def test_a_list_is_read_as_programs_write_it(tmp_path: Path, what: str) -> None:
    path = tmp_path / "students.csv"
    path.write_bytes(FORMS[what])
    ann, bob, zoe = people_in(path)
    assert (ann.id, ann.name, ann.sid) == ("ann", "Ann Lee", "3031")
    assert (bob.id, bob.name, bob.sid) == ("bob", "Jones; Bob, Jr", "3032")
    assert (zoe.id, zoe.name, zoe.sid) == ("zoe", "Zoë", "")


BAD = {
    "ids that differ in case": (LIST + "ANN,A,\n", "the student id 'ANN' cannot be used: another"),
    "ids that differ in form": (LIST + "z\u00e9,A,\nze\u0301,B,\n", "line 6: the student id"),
    "an id that is a path": (LIST + "../x,N,\n", "line 5: the student id '../x' cannot be used"),
    "a column twice": ("id,sid,sid\nann,1,2\n", "line 1: the column 'sid' is there twice"),
    "too many values": (LIST + "eve,E,1,2\n", "line 5: expected 3 values, found 4. Put quotes"),
    "a quote that never ends": (LIST + 'eve,"E\n' + "y" * 9, "line 5: expected a CSV file"),
    "a row that is cut off": (LIST + "eve", "line 5: expected 3 values, found 1. Put quotes"),
    "no column of ids": ("name\nAnn\n", "line 1: expected a column named id, found 'name'"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_mistake_in_a_list_is_named_with_its_line(tmp_path: Path, what: str) -> None:
    content, why = BAD[what]
    path = tmp_path / "students.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        people_in(path)
    assert str(path) in str(caught.value)
    assert why in str(caught.value)
