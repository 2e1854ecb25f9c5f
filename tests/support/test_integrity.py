import hashlib

import pytest

from hw_support.integrity import DataFileError, ShippedFile, read_verified

CONTENT = b"exactly these bytes"


@pytest.fixture
def shipped(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(CONTENT)
    return ShippedFile(path, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "make data")


def failure(shipped):
    with pytest.raises(DataFileError) as caught:
        read_verified(shipped)
    return caught.value


def test_the_right_file_is_returned_unchanged(shipped):
    assert read_verified(shipped) == CONTENT


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (CONTENT[:-4], "too short"),
        (b"", "too short"),
        (CONTENT + b"!", "too long"),
        (CONTENT + bytes(5000), "too long"),
        (CONTENT[:-1] + b"S", "right size but different content"),
    ],
)
def test_any_other_bytes_are_refused_with_both_sizes_and_digests(shipped, content, problem):
    shipped.path.write_bytes(content)
    error = failure(shipped)
    found = hashlib.sha256(content).hexdigest()
    message = str(error)
    assert problem in message
    assert f"expected: {len(CONTENT):,} bytes, SHA-256 {shipped.sha256}" in message
    assert f"found:    {len(content):,} bytes, SHA-256 {found}" in message
    assert (error.path, error.expected_sha256, error.found_sha256) == (
        shipped.path,
        shipped.sha256,
        found,
    )


def test_a_missing_file_is_named_as_missing(shipped):
    shipped.path.unlink()
    error = failure(shipped)
    assert "data.bin: the file is missing" in str(error)
    assert "found:    nothing" in str(error)
    assert error.found_sha256 is None


def test_a_folder_in_place_of_the_file_is_named_as_such(shipped):
    shipped.path.unlink()
    shipped.path.mkdir()
    assert "not a regular file" in str(failure(shipped))


def test_the_message_tells_students_and_staff_what_to_do(shipped):
    shipped.path.write_bytes(b"")
    student, staff = str(failure(shipped)).splitlines()[-2:]
    assert student.strip().startswith("Students: reinstall hw_support from the zip")
    assert staff.strip().startswith("Staff:")
    assert "`make data`" in staff
