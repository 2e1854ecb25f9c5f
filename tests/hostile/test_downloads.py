"""Attacks by downloads: names inside a student's zip do not decide whose it is, and no file stops
the others."""

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from platforms import Term, nb, packed

from hw_support.submission.file import MAX_BYTES

HONEST, HOSTILE = nb("an honest student"), nb("an attacker")


@pytest.fixture
def downloads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Term:
    """A course without a list of students: any name of a file may be a student's."""
    term = Term(tmp_path, capsys)
    (term.root / "students.csv").unlink()
    return term


def expect_left_out(downloads: Term, *files: str, why: str) -> None:
    """Expect that the honest one is collected, these files are not, and a message says why."""
    downloads.download("honest_hw2.ipynb", HONEST)
    assert downloads.collect(*sorted(downloads.outside.iterdir())) == 1
    assert downloads.handed_in == {"honest": HONEST}
    told = downloads.said[downloads.said.index(f"LEFT OUT ({len(files)})") :]
    for name in files:
        assert name in told
    assert why in told


INNER = packed(("victim_hw2.ipynb", HOSTILE))
TAKEN: dict[str, tuple[dict[str, bytes], dict[str, bytes]]] = {
    "the name of the upload decides": (
        {"victim_hw2.ipynb": HONEST, "attacker_hw2.zip": INNER,
         "bob_hw2_second.zip": packed(("folder/anything.ipynb", HONEST))},
        {"victim": HONEST, "attacker": HOSTILE, "bob": HONEST}),
    "the names in a platform's download decide": (
        {"submissions.zip": packed(
            ("victim_hw2.ipynb", HONEST), ("attacker_hw2.zip", INNER), ("bob_hw2.pdf", b"%PDF"),
            ("__MACOSX/._bob_hw2.ipynb", b"x"), (".DS_Store", b"x"))},
        {"victim": HONEST, "attacker": HOSTILE}),
    "of several notebooks, the one named like the homework": (
        {"bob_hw2.zip": packed(("scratch.ipynb", HOSTILE), ("hw2.ipynb", HONEST),
                               ("a/.ipynb_checkpoints/hw2.ipynb", b""))},
        {"bob": HONEST}),
    "names in a student's zip are no paths": (
        {"two_hw2.zip": packed(("../../../../x_hw2.ipynb", HONEST)),
         "one_hw2.zip": packed(("/tmp/x_hw2.ipynb", HONEST))},
        {"one": HONEST, "two": HONEST}),
}  # fmt: skip


@pytest.mark.parametrize("what", TAKEN)
def test_names_outside_a_students_zip_decide(downloads: Term, what: str) -> None:
    files, collected = TAKEN[what]
    for name, content in files.items():
        downloads.download(name, content)
    assert downloads.collect(*sorted(downloads.outside.iterdir())) == 0, downloads.said
    assert downloads.handed_in == collected


def test_names_that_lead_out_of_the_folder_are_left_out(downloads: Term) -> None:
    names = ["../x", "..", "..\\x", "/tmp/x", "C:\\x", "x\x1b[2J", 'x" onfocus="run()', "x" * 240]
    entries = [(f"{name}_hw2.ipynb", HOSTILE) for name in (*names, "-rf")]
    downloads.download("submissions.zip", packed(*entries))
    downloads.download("of two_hw2.ipynb", HOSTILE)
    downloads.download("honest_hw2.ipynb", HONEST)
    assert downloads.collect(*sorted(downloads.outside.iterdir())) == 1
    assert downloads.handed_in == {"honest": HONEST}


def bomb() -> bytes:
    """1 GB of zeros in 1 MB."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", 8) as bundle, bundle.open("hw2.ipynb", "w") as file:
        for _ in range(1000):
            file.write(bytes(1_000_000))
    return stream.getvalue()


def lying(size: int) -> bytes:
    """A zip whose list says that a notebook is small."""
    content = bytearray(packed(("hw2.ipynb", bytes(size))))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(content)


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def encrypted() -> bytes:
    content = bytearray(packed(("hw2.ipynb", HOSTILE)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(mark) + at] |= 1
    return bytes(content)


def endless_list() -> bytes:
    """A list of 200,000 files with the same content."""
    one = packed(("hw2.ipynb", HOSTILE))
    at, end = one.rindex(b"PK\x01\x02"), one.rindex(b"PK\x05\x06")
    entries = one[at:end] * 200_000
    count = struct.pack("<HHHHII", 0, 0, 0xFFFF, 0xFFFF, len(entries), at)
    return one[:at] + entries + b"PK\x05\x06" + count + b"\0\0"


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "zips in a zip": (lambda: packed(("a_hw2.zip", INNER), ("b.zip", INNER)),
                      "found 0 among its files ('a_hw2.zip'"),
    "many notebooks": (lambda: packed(*((f"victim{n}_hw2.ipynb", HOSTILE) for n in range(300))),
                       "found 300 among its files ('victim0_hw2.ipynb',"),
    "1 GB of zeros": (bomb, f"expected at most {MAX_BYTES:,} bytes, found more"),
    "a size that is not so": (lambda: lying(2 * MAX_BYTES), "it cannot be read"),
    "a link": (lambda: packed((link("hw2.ipynb"), b"/etc/passwd")), "found a symbolic link"),
    "LZMA": (lambda: packed(("hw2.ipynb", bytes(9)), compression=14), "another compression"),
    "a password": (encrypted, "it cannot be read"),
    "a list without end": (endless_list, "expected a zip with at most 10,000 files, found more"),
    "no zip": (lambda: b"PK\x03\x04" + bytes(1000), "expected a zip, found another file"),
}  # fmt: skip


@pytest.mark.parametrize("what", BOMBS)
def test_a_hostile_zip_is_left_out_and_takes_little_memory(
    downloads: Term, what: str, memory: Any
) -> None:
    make, why = BOMBS[what]
    downloads.download("attacker_hw2.zip", make())
    memory.begin()
    expect_left_out(downloads, "attacker_hw2.zip", why=why)
    memory.end()
    assert memory.grader_mb < 400, memory


def test_files_in_a_platforms_download_have_a_size_limit(downloads: Term) -> None:
    entries = [("a_hw2.zip", bomb()), ("b_hw2.ipynb", bytes(MAX_BYTES + 1)), ("c_hw2.zip", b"")]
    downloads.download("submissions.zip", packed(*entries))
    names = [f"submissions.zip: {name}" for name, _ in entries]
    expect_left_out(downloads, *names, why=f"expected at most {MAX_BYTES:,} bytes, found more")


def test_links_and_pipes_are_left_out(downloads: Term) -> None:
    (folder := downloads.outside / "folder").mkdir()
    (folder / "link_hw2.ipynb").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe_hw2.ipynb")
    downloads.download("submissions.zip", packed((link("linked_hw2.ipynb"), b"/etc/passwd")))
    names = ("link_hw2.ipynb", "pipe_hw2.ipynb", "linked_hw2.ipynb")
    expect_left_out(downloads, *names, why="expected a regular file, found a pipe")
