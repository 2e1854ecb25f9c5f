"""Attacks by files: invalid notebooks, files beside them, and whole classes of attackers.

Files are read in the grader's own process, outside of any sandbox. So tests also check the memory
that reading takes.
"""

import gzip
import hashlib
import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output
from toy_course import FULL_MARKS, ToyCourse, is_finished

from hw_grading.analysis.report import report
from hw_grading.commands.sample import cell_of
from hw_grading.homework.notes import read_problems
from hw_support.submission.file import MAX_BYTES, UserError, read_submission
from hw_support.submission.problems import Kind

pytestmark = pytest.mark.slow

MAX_MB = 900  # that reading one file may take: nine bytes for each of 90 million characters


def expect_unreadable(path: Path, memory: Any, why: str) -> None:
    """Expect that a file is refused with this reason, in little memory."""
    memory.begin()
    with pytest.raises(UserError) as raised:
        read_submission(path)
    memory.end()
    assert memory.grader_mb < MAX_MB, memory
    assert why in str(raised.value)
    assert len(str(raised.value)) < 500


def document(*cells: Any, **others: Any) -> dict[str, Any]:
    cell = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": []}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [*cells, cell], **others}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hw2.ipynb"


# -- one file


def cells_of(item: str, size: int = 40_000_000) -> bytes:
    """A file of many small values in the place of cells."""
    items = ",".join([item] * (size // (len(item) + 1)))
    return f'{{"nbformat": 4, "cells": [{items}]}}'.encode()


def with_text(text: str, escaped: bool = False) -> bytes:
    cell = {"cell_type": "markdown", "source": text}
    return json.dumps(document(cell), ensure_ascii=escaped).encode()


LARGE: dict[str, tuple[Callable[[], bytes], str]] = {
    "zeros": (lambda: bytes(MAX_BYTES), "expected JSON"),
    "a million cells": (lambda: cells_of('{"cell_type": "code", "source": ""}'), "values"),
    **{f"many {item}": (partial(cells_of, item), "values") for item in ("{}", "[]", '{"a":0}')},
    "a wide text": (lambda: with_text("\N{EURO SIGN}" + "x" * 90_000_000), "characters of text"),
    "a wide text, escaped": (
        lambda: with_text("\N{GRINNING FACE}" + "x" * 90_000_000, True),
        "characters of text",
    ),
    "objects in a cell": (lambda: cells_of('{"a":' * 900_000, 5_000_000), "nested too deeply"),
}


@pytest.mark.parametrize("what", LARGE)
def test_a_large_or_hostile_file_is_refused(path: Path, memory: Any, what: str) -> None:
    content, why = LARGE[what]
    path.write_bytes(content())
    expect_unreadable(path, memory, why)


# -- not regular files


def make_device(path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root makes devices")
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # zero


def test_a_file_replaced_by_a_link_during_reading_is_not_read(
    path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(json.dumps(document()))
    look = os.lstat

    def look_and_exchange(*arguments: Any, **named: Any) -> os.stat_result:
        found = look(*arguments, **named)
        if os.fspath(arguments[0]) == str(path) and path.exists() and not path.is_symlink():
            path.unlink()
            path.symlink_to("/etc/passwd")
        return found

    monkeypatch.setattr(os, "lstat", look_and_exchange)
    expect_unreadable(path, memory, "opening it failed")


# -- folders


def test_folders_that_are_links_are_not_graded(course: ToyCourse) -> None:
    course.submit("honest", course.answered)
    before = digests(course.root / "source")
    thieves = []
    for target in ("submitted/honest", "source", "release"):
        for how in ("student", "assignment"):
            thieves.append(f"thief-{len(thieves)}")
            link = course.root / "submitted" / thieves[-1] / ("" if how == "student" else "hw2")
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(course.root / target / ("" if how == "student" else "hw2"))
    done = course.grade()
    expect_not_graded(done, course, thieves, "it is a symbolic link")
    assert sum(score or 0 for score in course.test_scores("honest").values()) == FULL_MARKS
    assert digests(course.root / "source") == before


def expect_not_graded(done: Any, course: ToyCourse, students: list[str], why: str) -> None:
    """Expect that these students are not graded, and that messages and exit status say so."""
    assert done.returncode == 1
    assert done.stderr.count("NOT GRADED: ") == len(students)
    for student in students:
        assert f"/submitted/{student}/hw2: {why}" in done.stderr
        assert course.test_scores(student) == {}
        assert not (course.root / "autograded" / student).exists()


def test_very_deeply_nested_folders_are_not_graded(course: ToyCourse) -> None:
    course.submit("a-deep", course.answered)
    course.submit("b-honest", course.answered)
    (course.folder("a-deep") / "/".join("d" * 101)).mkdir(parents=True)
    done = course.grade()
    expect_not_graded(done, course, ["a-deep"], "it has more than 100 folders within 'd'")
    assert sum(score or 0 for score in course.test_scores("b-honest").values()) == FULL_MARKS


def digests(folder: Path) -> dict[str, str]:
    """Return a digest of each entry: of a link's target, or of a file's content."""
    found = {}
    for where, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(where, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                content = os.readlink(path).encode()
            elif stat.S_ISREG(mode):
                content = path.read_bytes()
            else:
                content = b""
            digest = hashlib.sha256(content).hexdigest()
            found[str(path.relative_to(folder))] = f"{stat.S_IFMT(mode)} {digest}"
    return found


# -- a class of attackers

LIMITS = """
c.ExecuteSubmission.cpu_seconds_per_cell = 2
c.ExecuteSubmission.wall_seconds_per_cell = 4
c.ExecuteSubmission.iopub_timeout = 1
c.ExecuteSubmission.memory_mb = 1500
c.ExecuteSubmission.folder_mb = 50
c.ExecuteSubmission.file_mb = 20
c.ExecuteSubmission.processes = 60
"""
WRONG = {"double": "def double(x):\n    return 0", "triple": "def triple(x):\n    return 0"}

# Code for an attacker's first answer, above wrong ones.
ATTACKS = {
    "does-not-end": """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True: pass
""",
    "writes-scores": """
import sqlite3
for path in ("{root}/gradebook.db", "../../../gradebook.db", "gradebook.db"):
    try:
        base = sqlite3.connect(path)
        base.execute("update grade set manual_score = 800")
        base.commit()
    except Exception:
        pass
open("hw2.ipynb", "w").write("mine")
""",
}


def edited(nb: NotebookNode) -> NotebookNode:
    """Outputs, points, tags, kernel and grader's notes, all forged by the student."""
    for grade_id in ("test_double", "test_triple", "test_triple_sum"):
        cell = cell_of(nb, grade_id)
        cell.source = "assert True"
        cell.metadata["tags"] = ["skip-execution", "raises-exception"]
        cell.metadata.nbgrader.update(points=500, grade=False, locked=False, solution=True)
        result = {"text/plain": "500.0"}
        cell.outputs = [new_output("execute_result", data=result, execution_count=1)]
    nb.metadata["kernelspec"] = {"name": "../../bin/sh", "display_name": "sh", "language": "sh"}
    nb.metadata["hw_grading"] = {"finished": True, "problems": [], "seed": 1}
    return nb


of_that_class = pytest.mark.xdist_group("hostile-class")  # graded once


@dataclass
class Class:
    """A class after one run."""

    course: ToyCourse
    log: str
    status: int
    before: dict[str, dict[str, str]]
    people: list[str]
    unreadable: list[str]

    def total(self, student: str) -> float:
        scores = self.course.test_scores(student)
        assert len(scores) == 3, f"{student} has no submission"
        assert None not in scores.values(), f"{student} has no score"
        return sum(score or 0 for score in scores.values())


def attackers(course: ToyCourse) -> Iterator[str]:
    """Hand in the attackers' submissions; return their names."""
    for name, source in ATTACKS.items():
        source = source.replace("{root}", str(course.root))
        answers = {**WRONG, "double": f"{source}\n{WRONG['double']}"}
        course.submit(name, course.answer(**answers))
        yield name
    course.submit("edits", edited(course.answer(**WRONG)))
    yield "edits"
    course.submit("brings-files", course.answer(**WRONG))
    folder = course.folder("brings-files")
    (folder / "secret").symlink_to(course.root / "source/hw2/hw2.ipynb")
    (folder / "course").symlink_to(course.root)
    (folder / "numpy.py").write_text("raise SystemExit")
    (folder / "sitecustomize.py").write_text("raise SystemExit")
    (folder / "nbgrader_config.py").write_text("raise SystemExit")
    os.mkfifo(folder / "pipe")
    if os.getuid() == 0:
        make_device(folder / "device")
    yield "brings-files"


def unreadable(course: ToyCourse) -> list[str]:
    """Hand in what cannot be read; return the names."""
    course.submit("zips", gzip.compress(bytes(10_000_000)))
    course.submit("nests", "[" * 100_000)
    (course.folder("borrows") / "hw2.ipynb").symlink_to("../../zz-honest/hw2/hw2.ipynb")
    os.mkfifo(course.folder("waits") / "hw2.ipynb")
    (course.folder("is-a-folder") / "hw2.ipynb").mkdir()
    return ["zips", "nests", "borrows", "waits", "is-a-folder"]


@pytest.fixture(scope="module")
def hostile_class(tmp_path_factory: pytest.TempPathFactory, generated_course: ToyCourse) -> Class:
    course = generated_course.copied(tmp_path_factory.mktemp("hostile-class") / "course")
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + LIMITS)
    people, not_read = list(attackers(course)), unreadable(course)
    course.submit("zz-honest", course.answered)
    with sqlite3.connect(course.root / "gradebook.db") as base:
        base.execute("create table canary (x)")
    before = {name: digests(course.root / name) for name in ("source", "submitted", "release")}
    done = course.grade()
    return Class(course, done.stderr, done.returncode, before, people, not_read)


WHY = {
    "does-not-end": Kind.TIME_LIMIT,
    "edits": Kind.EDITED_CELL,
    "brings-files": Kind.FOLDER,
}


@of_that_class
def test_a_class_of_attackers_is_graded_and_gets_no_point(hostile_class: Class) -> None:
    course = hostile_class.course
    assert hostile_class.status == 1, hostile_class.log[-3000:]
    assert hostile_class.log.count("NOT GRADED: ") == len(hostile_class.unreadable)
    assert "Traceback" not in hostile_class.log
    for name in hostile_class.people:
        assert hostile_class.total(name) == 0
        problems = read_problems(course.graded(name))
        assert WHY.get(name) in {None, *(problem.kind for problem in problems)}
        assert all(problem.message in hostile_class.log for problem in problems)
    assert hostile_class.total("zz-honest") == FULL_MARKS
    assert read_problems(course.graded("zz-honest")) == []
    for name in [*hostile_class.people, "zz-honest"]:
        assert is_finished(course.root / "autograded" / name / "hw2/hw2.ipynb"), name


@of_that_class
def test_what_cannot_be_read_is_named_in_the_table(hostile_class: Class) -> None:
    table = report(hostile_class.course.root, "hw2", 400)
    for name in hostile_class.unreadable:
        assert set(hostile_class.course.scores(name).values()) <= {None}
        assert not (hostile_class.course.root / "autograded" / name / "hw2").exists()
        row = table.partition(f"\n{name} ")[2].split("\n")[1]
        assert row.strip().startswith("NOT GRADED: The notebook 'hw2.ipynb' cannot be read: ")


@of_that_class
def test_nothing_else_of_that_course_was_changed(hostile_class: Class) -> None:
    root = hostile_class.course.root
    assert {name: digests(root / name) for name in hostile_class.before} == hostile_class.before
    with sqlite3.connect(root / "gradebook.db") as base:
        forged = "manual_score not null or extra_credit not null"
        assert base.execute(f"select count(*) from grade where {forged}").fetchone() == (0,)
        assert {name for (name,) in base.execute("select id from student")} == {
            *hostile_class.people,
            *hostile_class.unreadable,
            "zz-honest",
        }
        most = base.execute("select max(max_score) from grade_cells").fetchone()
        assert most == (5,)
    graded = os.listdir(root / "autograded/brings-files/hw2")
    assert graded == ["hw2.ipynb"]
