"""Downloads as learning platforms build them, and a course that collects them."""

import io
import json
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from hw_grading.__main__ import main
from hw_grading.homework.folders import read_time

CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'term'\n"
MANIFEST = 'due = "2022-10-04 23:59:59"\ntime_zone = "America/Los_Angeles"\n'
ROSTER = """id,name,email,section,canvas_id,login,sid
ann,Ann Lee,ann@x.edu,1,701,,3031
bob,"Jones, Bob",bob@x.edu,1,702,bjones,3032
zoe,Zoë Ångström,zoe@x.edu,2,703,,3033
dan,Dan O'Neil,dan@x.edu,2,704,,3034
"""


def nb(text: str) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": [], "by": text}).encode()


def packed(*files: tuple[str | zipfile.ZipInfo, bytes], compression: int = 8) -> bytes:
    """A zip with these files, under exactly these names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as bundle:
        for name, content in files:
            bundle.writestr(name, content)
    return stream.getvalue()


def gradescope(*submissions: tuple[int, str, list[tuple[str, str, str]], bytes]) -> bytes:
    """An export: number, time, submitters (name, sid, email), and the notebook of each."""
    lines, files = ["---"], []
    for number, when, people, content in submissions:
        lines += [f"submission_{number}:", "  :submitters:"]
        for name, sid, email in people:
            lines += [f"  - :name: {name}", f"    :sid: {sid}", f"    :email: {email}"]
        lines += [f"  :created_at: {when}", "  :score: 12.0", "  :results:", "    tests: []"]
        lines += ["  :history:", "  - :id: 1", "    :created_at: 2022-09-01 10:00:00.000000000 Z"]
        files.append((f"assignment_9_export/submission_{number}/hw2.ipynb", content))
    metadata = "\n".join(lines).encode()
    return packed(("assignment_9_export/submission_metadata.yml", metadata), *files)


def ruby(utc: str, local: str) -> str:
    """A time as Ruby on Rails writes it, whose local part claims to be UTC."""
    return (
        "!ruby/object:ActiveSupport::TimeWithZone\n"
        f"    utc: {utc}\n    zone: !ruby/object:ActiveSupport::TimeZone\n"
        f"      name: America/Los_Angeles\n    time: {local}"
    )


def moodle(*submissions: tuple[str, int, bytes]) -> bytes:
    """Full name, number of the participant, and the notebook of each."""
    folders = [(f"{name}_{number}_assignsubmission_file/hw2.ipynb", content)
               for name, number, content in submissions]  # fmt: skip
    return packed(*folders)


def worksheet(
    *rows: tuple[int, str, str], titles: str = "Identifier,Full name,Email address"
) -> str:
    """A grading worksheet: number of the participant, full name and email of each."""
    lines = [f"Participant {number},{name},{email},-" for number, name, email in rows]
    return "\n".join([f"{titles},Grade", *lines, ""])


class Term:
    """A course with only what collecting needs, and the command."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root / "course", capsys
        self.outside = root / "downloads"
        self.outside.mkdir()
        for folder in ("source/hw2", "staff/hw2"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "nbgrader_config.py").write_text(CONFIG)
        (self.root / "source/hw2/hw2.ipynb").write_bytes(nb("instructor"))
        (self.root / "staff/hw2/homework.toml").write_text(MANIFEST)
        self.roster(ROSTER)

    def roster(self, content: str | bytes) -> None:
        content = content.encode() if isinstance(content, str) else content
        (self.root / "students.csv").write_bytes(content)

    def download(self, name: str, content: str | bytes) -> Path:
        path = self.outside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def collect(self, *words: str | Path, yes: bool = True) -> int:
        """Run the command; return its exit status, and keep its output in `said`."""
        before = set(self.root.rglob("*"))
        more = ["--yes"] if yes else []
        status = main(["--course", str(self.root), "collect", "hw2", *map(str, words), *more])
        out = self._capsys.readouterr()
        self.said = out.out + out.err
        assert all(c == "\n" or c.isprintable() for c in self.said)
        ours = {self.root / name for name in ("submitted", "grading", "gradebook.db")}
        for path in set(self.root.rglob("*")) - before if yes else ():
            assert ours & {path, *path.parents}
            assert not path.is_symlink()
            assert not path.name.startswith(".")
        return status

    @property
    def handed_in(self) -> dict[str, bytes]:
        """The collected notebooks by student."""
        there = self.root.glob("submitted/*/hw2/hw2.ipynb")
        return {path.parts[-3]: path.read_bytes() for path in there}

    def when(self, student: str) -> datetime | None:
        return read_time(self.root / "submitted" / student / "hw2")

    @property
    def records(self) -> dict[str, dict[str, object]]:
        path = self.root / "grading/collected/hw2.json"
        return json.loads(path.read_text(encoding="utf-8"))["students"]
