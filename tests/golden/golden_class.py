"""The golden class: submissions of both homeworks, graded by nbgrader, with their results as text.

``submissions.toml`` describes the submissions, ``expected.txt`` has their results. After a change
that is meant to change results, write that file anew, and look at the difference:

    python tests/golden/golden_class.py
"""

import argparse
import copy
import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.utils import is_solution

from hw_grading.commands.sample import ON_TIME, cell_of, write_class
from hw_grading.gradebook.results import Results, StudentResult, read_results
from hw_grading.gradebook.scores import Score
from hw_grading.homework.course import REPOSITORY, Course, scratch_course
from hw_grading.homework.homework import manifest_of
from hw_grading.homework.layout import STAFF
from hw_grading.homework.source_notebook import solved
from hw_grading.outcome import PartResult
from hw_grading.texts import in_digits
from hw_grading.trying.kept import FOLDER, answers, cells_of

HERE = Path(__file__).parent
EXPECTED = HERE / "expected.txt"
HOMEWORKS = ("hw0", "hw2")
MODEL = "all-right"  # the student whose tests show all parts
BLANK = "blank"  # the student to whose tests others are referred
NEED_A_TRAINING = ("train", "q1_3e_i", "q1_3e_ii", "q1_3e_iii", "q1_3e_iv_experiment")
# Limits that no honest answer meets, also on a busy machine, and that endless ones soon do.
CONFIG = """
c.ExecuteSubmission.cpu_seconds_per_cell = 20
c.ExecuteSubmission.wall_seconds_per_cell = 60
c.ExecuteSubmission.iopub_timeout = 60
c.WholeClass.seed = "07"  # every run of the class draws the same
"""
MAX_LETTERS = 70  # of a message
_HEADING = re.compile(r"^== (.*)$", re.M)
# Numbers that depend on the machine: those with a point, which are inputs and results, and counts
# of entries that differ by more than a tolerance. Of a limit of seconds some may be used up.
_NUMBER = re.compile(
    r"(?<!\w)-?\d+(?:\.\d+(?:e[-+]?\d+)?|e[-+]?\d+)|\d+(?= of \d+ entries)|\d+(?= s\b)"
)


@dataclass(frozen=True)
class Described:
    """One submission of ``submissions.toml``, where its keys are explained."""

    base: str
    answers: tuple[str, ...] = ()
    cells: dict[str, str] = field(default_factory=dict)
    before: str = ""
    delete: tuple[str, ...] = ()
    repeat: tuple[str, ...] = ()
    tags: dict[str, list[str]] = field(default_factory=dict)
    kept: float = 1.0
    file: str | None = None


def described() -> dict[str, Any]:
    """Return what ``submissions.toml`` says: submissions by homework and student, and `quick`."""
    return tomllib.loads((HERE / "submissions.toml").read_text(encoding="utf-8"))


# -- handing in


def hand_in(course: Course, homework: str, only: Collection[str] = ()) -> None:
    """Write the submissions of a homework, or `only` these students'."""
    name = f"{homework}.ipynb"
    source = nbformat.read(course.source(homework) / name, as_version=4)
    released = nbformat.read(course.release(homework) / name, as_version=4)
    due = manifest_of(course.root, homework).due_moment
    assert due is not None
    students = {sample.student for sample in write_class(course, homework)}
    for student, keys in described()[homework].items():
        students.add(student)
        folder = course.submitted(student, homework)
        folder.mkdir(parents=True)
        (folder / name).write_bytes(_content(Described(**keys), homework, released, source))
        moment = (due + ON_TIME).astimezone(UTC)
        (folder / "timestamp.txt").write_text(f"{moment:%Y-%m-%d %H:%M:%S} UTC", encoding="utf-8")
    for student in students.difference(only or students):
        shutil.rmtree(course.submitted(student, homework).parent)


def _content(one: Described, homework: str, released: Any, source: Any) -> bytes:
    """Return the bytes of the file that is handed in."""
    if one.file is not None:
        return one.file.encode()
    assert one.base in ("model", "without train", "released"), one.base
    notebook = copy.deepcopy(released) if one.base == "released" else solved(released, source)
    sources = dict(one.cells)
    if one.base == "without train":
        sources |= {name: cell_of(released, name).source for name in NEED_A_TRAINING}
    for words in one.answers:
        sources |= _kept_answer(homework, words)
    for grade_id, text in sources.items():
        cell_of(notebook, grade_id).source = text.strip("\n")
    for grade_id, tags in one.tags.items():
        cell_of(notebook, grade_id).metadata["tags"] = tags
    for grade_id in one.repeat:
        cell = cell_of(notebook, grade_id)
        notebook.cells.insert(notebook.cells.index(cell), copy.deepcopy(cell))
    for grade_id in one.delete:
        gone = list(notebook.cells) if grade_id == "*" else [cell_of(notebook, grade_id)]
        notebook.cells = [cell for cell in notebook.cells if cell not in gone]
    if one.before:
        first = next(i for i, cell in enumerate(notebook.cells) if is_solution(cell))
        notebook.cells.insert(first, nbformat.v4.new_code_cell(one.before.strip("\n"), id="own"))
    content = json.dumps(notebook).encode()  # nbformat would repair it
    return content[: int(one.kept * len(content))]


def _kept_answer(homework: str, words: str) -> Mapping[str, str]:
    """Return the cells of the answer that ``submissions.toml`` names so, by grade id."""
    folder = REPOSITORY / STAFF / homework / FOLDER
    place, _, name = words.partition(": ")
    kind, _, file = place.partition(" ")
    if kind == "whole":
        return cells_of(folder / kind / f"{file}.py")
    (found,) = [
        answer for answer in answers(folder, kind) if (answer.of, answer.name) == (file, name)
    ]
    return found.cells


# -- grading


def graded_class(folder: Path, homeworks: Collection[str], quick: bool = False) -> dict[str, str]:
    """Grade the class in a scratch course; return the text of each part of ``expected.txt``.

    Parameters
    ----------
    folder
        Missing or empty; for the scratch course.
    homeworks
        The homeworks to grade.
    quick
        Grade only the students that ``submissions.toml`` names in `quick`.
    """
    course = scratch_course(folder / "course")
    with (course.folder / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(CONFIG)
    log = folder / "log.txt"
    texts: dict[str, str] = {}
    for homework in homeworks:
        course.run_nbgrader("generate_assignment", homework, log=log)
        hand_in(course, homework, described()["quick"][homework] if quick else ())
        course.nbgrader("autograde", homework, log=log)  # fails: some have no readable notebook
        texts |= _results(course, homework)
    return texts


def _results(course: Course, homework: str) -> dict[str, str]:
    results = read_results(course, homework)
    read = {result.student.id: result for result in results.handed_in}
    texts: dict[str, str] = {}
    if MODEL in read:
        texts[f"{homework}: the parts of its tests"] = _table(results, read[MODEL])
    blank = _tests(read[BLANK])
    for student, result in read.items():
        lines = _head(result)
        for name, about in _tests(result).items() if result.known.scored else ():
            if student != BLANK and len(about) > 1 and about == blank[name]:
                about = [f"{about[0]}, as in {BLANK}"]
            lines += about
        text = "\n".join(lines).replace(str(course.folder), "COURSE")
        texts[f"{homework} / {student}"] = text
    return texts


def _table(results: Results, model: StudentResult) -> str:
    lines = []
    for cell in results.cells:
        if not cell.by_hand:
            lines.append(f"{cell.name} {in_digits(cell.max_points)}")
            lines += [f"    {in_digits(p.points)}  {p.name}" for p in _parts(model, cell.name)]
    by_hand = [f"{c.name} {in_digits(c.max_points)}" for c in results.cells if c.by_hand]
    return "\n".join([*lines, "graded by hand: " + ", ".join(by_hand)])


def _parts(result: StudentResult, cell: str) -> list[PartResult]:
    return result.run.parts_of(cell) if result.run else []


def _head(result: StudentResult) -> list[str]:
    """Return the lines about a submission as a whole."""
    record = result.known
    hours = round(record.seconds_late / 3600)
    lines = [f"{result.status}{f', {hours} hours late' if hours else ''}"]
    if not record.scored:
        return [*lines, f"    because: {begin(result.reason)}"]
    lines += [
        f"    {one.severity} {one.kind}: {begin(one.message)}"
        for one in (result.run.problems if result.run else ())
    ]
    tests = [score for score in record.scores if not score.cell.by_hand]
    points = in_digits(sum(score.points for score in tests))
    of = in_digits(sum(score.cell.max_points for score in tests))
    waiting = sum(score.cell.by_hand and score.waits for score in record.scores)
    return [*lines, f"tests {points}/{of}; {waiting} answers wait for a person"]


def _tests(result: StudentResult) -> dict[str, list[str]]:
    """Return the lines about each test, by grade id."""
    scores = [score for score in result.known.scores if not score.cell.by_hand]
    return {s.cell.name: list(_test(s, _parts(result, s.cell.name))) for s in scores}


def _test(score: Score, parts: list[PartResult]) -> Iterator[str]:
    """Yield the lines about one test: its points, and the parts that failed."""
    points = "no score" if score.auto is None else in_digits(score.auto)
    points = f"{score.cell.name} {points}/{in_digits(score.cell.max_points)}"
    failed = [part for part in parts if not part.passed]
    if not failed:
        yield points
        return
    whys = {begin(part.message) for part in failed}
    if len(failed) == len(parts) and len(whys) == 1:
        yield f"{points}  all parts: {whys.pop()}"
        return
    yield f"{points}  {len(parts) - len(failed)} of {len(parts)} parts"
    for part in failed:
        yield f"    {'the whole test' if part.is_whole else part.name}: {begin(part.message)}"


def begin(message: str) -> str:
    """Return the first words of a message, without its measured numbers."""
    words = _NUMBER.sub("~", message.replace("\n", " "))
    return words if len(words) <= MAX_LETTERS else words[:MAX_LETTERS].rsplit(" ", 1)[0] + " …"


# -- the file


def read_expected() -> dict[str, str]:
    """Return the text of each part of ``expected.txt``, by its heading."""
    _, *found = _HEADING.split(EXPECTED.read_text(encoding="utf-8"))
    return {head: text.strip("\n") for head, text in zip(found[::2], found[1::2], strict=True)}


def write_expected(texts: dict[str, str]) -> None:
    """Write the file with these results."""
    head = (
        "The golden class and its results: each student's status, repairs, and points of each test."
        "\nA test without a list of parts passed all of them. Measured numbers are shown as ~."
        f'\n"As in {BLANK}": the same parts failed, with the same messages, as of that student.'
        "\nWritten by tests/golden/golden_class.py; submissions.toml describes the submissions.\n"
    )
    blocks = [f"\n== {heading}\n{text}\n" for heading, text in texts.items()]
    EXPECTED.write_text(head + "".join(blocks), encoding="utf-8")


def main() -> None:
    """Grade the whole class and write its results."""
    with tempfile.TemporaryDirectory() as folder:
        write_expected(graded_class(Path(folder), HOMEWORKS))
    print(f"{EXPECTED} is written. Look at its difference: git diff {EXPECTED}")


if __name__ == "__main__":
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    main()
