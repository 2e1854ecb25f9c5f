"""Attacks by downloads: names inside a student's zip do not decide whose it is.

`collect` runs the real `nbgrader zip_collect` in this process.
"""

import io
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from platforms import handed_in, zip_collect
from toy_course import ToyCourse

from hw_grading.records.scores import counted
from hw_support.submission.file import MAX_BYTES

pytestmark = pytest.mark.slow

HONEST = b'{"of": "an honest student"}'
HOSTILE = b'{"of": "an attacker"}'


def packed(*files: tuple[str | zipfile.ZipInfo, bytes], compression: int = 8) -> bytes:
    """A zip with these files, under exactly these names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as bundle:
        for name, content in files:
            bundle.writestr(name, content)
    return stream.getvalue()


class Class:
    """The downloads of a class, and the submissions that are collected from them."""

    def __init__(self, course: ToyCourse, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = course.root, capsys
        self.archive = course.root / "downloaded" / "hw2" / "archive"
        self.archive.mkdir(parents=True)

    def download(self, name: str, content: bytes) -> None:
        path = self.archive / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def collect(self, *words: str) -> int:
        """Run the command; return its exit status, and keep its output in `log`."""
        before = set(self._files())
        status = zip_collect(self.root, *words)
        self.log = self._capsys.readouterr().err
        inside = {self.root / "submitted", self.root / "downloaded" / "hw2" / "extracted"}
        for path in set(self._files()) - before:
            assert inside & set(path.parents), path
            assert stat.S_ISREG(path.lstat().st_mode)
        return status

    def _files(self) -> list[Path]:
        above = self.root.parent
        return [path for path in above.rglob("*") if not path.is_dir() and path.name != "log"]

    @property
    def handed_in(self) -> dict[str, bytes]:
        """The notebooks by student."""
        return handed_in(self.root)

    def expect_left_out(self, *files: str, why: str) -> None:
        """Expect that the honest one is collected, these files are not, and a message says why."""
        self.download("honest_hw2.ipynb", HONEST)
        status = self.collect()
        assert self.handed_in == {"honest": HONEST}
        assert status == 1
        told = self.log[self.log.index("LEFT OUT") :]
        assert f"LEFT OUT: {counted(len(files), 'file')};" in self.log
        for name in files:
            assert name in told
        assert why in told
        assert all(c == "\n" or c.isprintable() for c in self.log)


@pytest.fixture
def downloads(course: ToyCourse, capsys: pytest.CaptureFixture[str]) -> Class:
    return Class(course, capsys)


@pytest.mark.smoke
def test_the_name_of_the_upload_decides_whose_it_is(downloads: Class) -> None:
    downloads.download("victim_hw2.ipynb", HONEST)
    downloads.download("attacker_hw2.zip", packed(("victim_hw2.ipynb", HOSTILE)))
    downloads.download("bob_hw2_second.zip", packed(("folder/anything.ipynb", HONEST)))
    assert downloads.collect() == 0
    assert downloads.handed_in == {"victim": HONEST, "attacker": HOSTILE, "bob": HONEST}


def test_the_names_in_a_platforms_download_decide(downloads: Class) -> None:
    of_attacker = packed(("victim_hw2.ipynb", HOSTILE), ("notes.txt", b"x"))
    entries = [("victim_hw2.ipynb", HONEST), ("attacker_hw2.zip", of_attacker)]
    entries += [("bob_hw2.pdf", b"%PDF"), ("__MACOSX/._bob_hw2.ipynb", b"x"), (".DS_Store", b"x")]
    downloads.download("submissions.zip", packed(*entries))
    assert downloads.collect() == 0
    assert downloads.handed_in == {"victim": HONEST, "attacker": HOSTILE}


FOLDERS = [
    ("Mallory Smith 123/victim_hw2.ipynb", HOSTILE),
    ("Victor Jones 124/hw2.ipynb", HONEST),
    ("Ann Lee 125/bob_hw2.zip", packed(("x.ipynb", HOSTILE))),
]


def test_in_a_folder_for_each_student_file_names_identify_nobody(downloads: Class) -> None:
    downloads.download("CS1-999.zip", packed(*FOLDERS))
    for name, content in FOLDERS:
        downloads.download(f"unpacked/{name}", content)
    names = [name for name, _ in FOLDERS]
    inner = [f"{folder}/{name}" for folder in ("CS1-999", "unpacked") for name in names]
    downloads.expect_left_out(*inner, why="c.HomeworksByName.named_regexp")


def test_a_pattern_may_take_the_student_from_the_folder(downloads: Class) -> None:
    downloads.download("CS1-999.zip", packed(*FOLDERS[:2]))
    pattern = r".*/(?P<student_id>\w+) [^/]*/[^/]*(?P<file_id>hw2)\.ipynb$"
    assert downloads.collect(f"--HomeworksByName.named_regexp={pattern}") == 0
    assert downloads.handed_in == {"Mallory": HOSTILE, "Victor": HONEST}


def test_all_files_may_lie_in_one_folder(downloads: Class) -> None:
    files = [(f"hw2 export/{name}_hw2.ipynb", HONEST) for name in ("ann", "bob")]
    downloads.download("export.zip", packed(*files))
    assert downloads.collect() == 0
    assert downloads.handed_in == {"ann": HONEST, "bob": HONEST}


def test_a_zip_in_a_students_zip_is_not_opened(downloads: Class) -> None:
    inner = packed(("victim_hw2.ipynb", HOSTILE))
    downloads.download("attacker_hw2.zip", packed(("a_hw2.zip", inner), ("b.zip", inner)))
    downloads.expect_left_out("attacker_hw2.zip", why="found none, but zips in it ('a_hw2.zip'")


def test_an_upload_with_many_notebooks_is_left_out(downloads: Class) -> None:
    many = [(f"victim{n}_hw2.ipynb", HOSTILE) for n in range(300)]
    downloads.download("attacker_hw2.zip", packed(*many))
    downloads.expect_left_out("attacker_hw2.zip", why="found 300 ('victim0_hw2.ipynb',")


def test_of_several_notebooks_the_one_named_like_the_homework_is_taken(downloads: Class) -> None:
    files = [
        ("scratch.ipynb", HOSTILE),
        ("hw2.ipynb", HONEST),
        ("a/.ipynb_checkpoints/hw2.ipynb", b""),
    ]
    downloads.download("bob_hw2.zip", packed(*files))
    assert downloads.collect() == 0
    assert downloads.handed_in == {"bob": HONEST}


def test_two_files_of_one_student_block_nobody_else(downloads: Class) -> None:
    downloads.download("bob_hw2.ipynb", HOSTILE)
    downloads.download("bob_hw2_again.zip", packed(("hw2.ipynb", HOSTILE)))
    downloads.download("more.zip", packed(("bob_hw2.ipynb", HOSTILE)))
    names = ("bob_hw2.ipynb", "bob_hw2_again.zip", "more/bob_hw2.ipynb")
    downloads.expect_left_out(*names, why="bob has 3 files. Keep only the one that counts")


LEADING_OUT = [
    "../x_hw2.ipynb",
    "a/../../../x_hw2.ipynb",
    ".._hw2.ipynb",
    "._hw2.ipynb/../x_hw2.ipynb",
    "..\\x_hw2.ipynb",
    "/tmp/x_hw2.ipynb",
    "a//x_hw2.ipynb",
    "C:\\x_hw2.ipynb",
    "x\x1b[2J_hw2.ipynb",
    "x\ny_hw2.ipynb",
    'x" onfocus="run()_hw2.ipynb',
    "a b_hw2.ipynb",
    "x" * 240 + "_hw2.ipynb",
    "-rf_hw2.ipynb",
]


def test_names_that_lead_out_of_the_folder_are_left_out(downloads: Class) -> None:
    downloads.download("submissions.zip", packed(*((name, HOSTILE) for name in LEADING_OUT)))
    downloads.download("of two_hw2.ipynb", HOSTILE)
    listed = [n for n in LEADING_OUT if not n.startswith("._")]
    downloads.download("honest_hw2.ipynb", HONEST)
    assert downloads.collect() == 1
    assert downloads.handed_in == {"honest": HONEST}
    assert downloads.log.count("Rename the file") >= len(listed)
    assert all(c == "\n" or c.isprintable() for c in downloads.log)


def test_names_in_a_students_zip_are_not_used_as_paths(downloads: Class) -> None:
    for number, name in enumerate(LEADING_OUT):
        if not name.startswith(".."):
            downloads.download(f"s{number}_hw2.zip", packed((name, HONEST)))
    downloads.download("two_hw2.zip", packed(("../../../../x_hw2.ipynb", HONEST)))
    downloads.collect()
    assert downloads.handed_in["two"] == HONEST
    assert set(downloads.handed_in.values()) == {HONEST}


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


def with_a_link() -> bytes:
    entry = zipfile.ZipInfo("hw2.ipynb")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return packed((entry, b"/etc/passwd"))


def encrypted() -> bytes:
    content = bytearray(packed(("hw2.ipynb", HOSTILE)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(mark) + at] |= 1
    return bytes(content)


def endless_list() -> bytes:
    """A list of 100,000 files with the same content."""
    one = packed(("hw2.ipynb", HOSTILE))
    at, end = one.rindex(b"PK\x01\x02"), one.rindex(b"PK\x05\x06")
    entries = one[at:end] * 100_000
    count = struct.pack("<HHHHII", 0, 0, 0xFFFF, 0xFFFF, len(entries), at)
    return one[:at] + entries + b"PK\x05\x06" + count + b"\0\0"


BOMBS: dict[str, tuple[Any, str]] = {
    "1 GB of zeros": (bomb, f"expected at most {MAX_BYTES:,} bytes, found more"),
    "a size that is not so": (lambda: lying(2 * MAX_BYTES), "it cannot be read"),
    "a link": (with_a_link, "found a symbolic link"),
    "a password": (encrypted, "it cannot be read"),
    "LZMA": (lambda: packed(("hw2.ipynb", bytes(9)), compression=14), "another compression"),
    "bzip2": (lambda: packed(("hw2.ipynb", bytes(9)), compression=12), "another compression"),
    "a list without end": (endless_list, "expected fewer files in the zip"),
    "nothing": (lambda: b"", "expected a zip, found another file"),
    "no zip": (lambda: b"PK\x03\x04" + bytes(1000), "expected a zip, found another file"),
    "half a zip": (lambda: packed(("hw2.ipynb", os.urandom(9000)))[:-200],
                   "expected a zip, found another file"),
    "another sum": (lambda: packed(("hw2.ipynb", HOSTILE)).replace(
        struct.pack("<I", zlib.crc32(HOSTILE)), b"1234"), "it cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("what", BOMBS)
def test_a_hostile_zip_is_left_out_and_takes_little_memory(
    downloads: Class, what: str, memory: Any
) -> None:
    make, why = BOMBS[what]
    downloads.download("attacker_hw2.zip", make())
    memory.begin()
    downloads.expect_left_out("attacker_hw2.zip", why=why)
    memory.end()
    assert memory.grader_mb < 400, memory


def test_files_in_a_platforms_download_have_a_size_limit(downloads: Class) -> None:
    entries = [("a_hw2.zip", bomb()), ("b_hw2.ipynb", bytes(MAX_BYTES + 1)), ("c_hw2.zip", b"")]
    downloads.download("submissions.zip", packed(*entries, ("d_hw2.ipynb", HONEST)))
    names = ("submissions/a_hw2.zip", "submissions/b_hw2.ipynb", "submissions/c_hw2.zip")
    downloads.download("honest_hw2.ipynb", HONEST)
    assert downloads.collect() == 1
    assert downloads.handed_in == {"d": HONEST, "honest": HONEST}
    assert all(name in downloads.log for name in names)


def test_links_and_pipes_are_left_out(downloads: Class) -> None:
    (downloads.archive / "link_hw2.ipynb").symlink_to("/etc/passwd")
    os.mkfifo(downloads.archive / "pipe_hw2.ipynb")
    downloads.download("photo.jpg", b"x")
    names = ("link_hw2.ipynb", "pipe_hw2.ipynb")
    downloads.expect_left_out(*names, why="expected a regular file, found a pipe")


def test_an_invalid_time_in_a_name_blocks_nobody(downloads: Class) -> None:
    downloads.download("a_24:0012345678901234567890_hw2.ipynb", HOSTILE)
    downloads.download("b_2022-10-04T23:59:00_hw2.ipynb", HONEST)
    pattern = r".*/(?P<student_id>[a-z]+)_(?P<timestamp>[^_]+)_(?P<file_id>hw2)"
    assert downloads.collect(f"--HomeworksByName.named_regexp={pattern}") == 1
    assert downloads.handed_in == {"b": HONEST}
