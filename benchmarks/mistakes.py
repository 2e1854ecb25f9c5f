"""Make known mistakes in a finished homework, and count the messages that lead to the fix.

`mistakes.toml` has the mistakes, by homework and by the cell in which they are made. A mistake is
``change``, pairs of a text of the solution and what stands there in its place; or ``answer``, the
whole cell; without both, the kept wrong answer of that name. ``cells`` has other cells that a
mistake changes. A reader has judged what a student is told: the message

- ``leads`` to the fix: it names the mistake, or the line and what is wrong there
- is ``neutral``: it says what differs, and no more
- ``misleads``: it sends the student to code that is right, or cannot be understood

``of`` identifies the message that was judged. If it has changed, the mistake is not judged. A
mistake that costs no point is not noticed.
"""

import contextlib
import hashlib
import io
import linecache
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.source_notebook import solved
from hw_grading.trying.kept import answers
from hw_support.checks.fresh import SEED_VARIABLE
from hw_support.checks.parts import COUNTS_ONLY
from hw_support.submission.cells import grade_id_of

TABLE = Path(__file__).with_name("mistakes.toml")
LEADS, NEUTRAL, MISLEADS, NOT_JUDGED, NOT_NOTICED = (
    "leads",
    "neutral",
    "misleads",
    "not judged",
    "not noticed",
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")  # some are drawn or measured
_INPUT = re.compile(r"[.?]? (?:Fresh input|Input|Call): .*")
_NOT_TRAINED = "expected the six names from `train()`: run the cell above"  # nor is it here
_NOT_TOLD = ("", COUNTS_ONLY, _NOT_TRAINED)
_DATA = ("X_train", "y_train", "X_test", "y_test")


@dataclass(frozen=True)
class Told:
    """What a student is told of a mistake, the points (got, possible), and the verdict."""

    assignment: str
    cell: str
    mistake: str
    message: str
    points: tuple[float, float]
    verdict: str

    @property
    def digest(self) -> str:
        """What identifies the message."""
        return message_digest(self.message)


def message_digest(message: str) -> str:
    """Return eight hexadecimal digits for a message, without its numbers and inputs."""
    text = _NUMBER.sub("#", _INPUT.sub("", message))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def run() -> None:
    """Print each mistake with its verdict, points and message, and the totals."""
    everything = list(told())
    for one in everything:
        got, possible = one.points
        where = f"{one.assignment} {one.cell}: {one.mistake}"
        print(f"\n{one.verdict:<11}  {got:g} of {possible:g}  {where}\n{one.message}")
    counts = Counter(one.verdict for one in everything)
    shares = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    print(f"\n{len(everything)} mistakes: {shares}")


def told(only: str = "") -> Iterator[Told]:
    """Make each mistake, of one cell or of all, and yield what the visible tests say."""
    os.environ[SEED_VARIABLE] = "1"
    for assignment, by_cell in tomllib.loads(TABLE.read_text(encoding="utf-8")).items():
        notebook = Finished(assignment)
        for cell, entries in by_cell.items():
            for entry in entries if only in ("", cell) else ():
                message, points = notebook.told_of(notebook.with_mistake(cell, entry))
                verdict = entry.get("verdict", NOT_JUDGED)
                if not message:
                    verdict = NOT_NOTICED
                elif message_digest(message) != entry.get("of"):
                    verdict = NOT_JUDGED
                yield Told(assignment, cell, entry["mistake"], message, points, verdict)


class Finished:
    """A homework with all solutions, of which tests run without training and plots."""

    def __init__(self, assignment: str) -> None:
        source = nbformat.read(
            Course(REPOSITORY).source(assignment) / f"{assignment}.ipynb", as_version=4
        )
        cells = solved(source, source).cells
        code = [(grade_id_of(c), c.source) for c in cells if c.cell_type == "code"]
        self._cells = {name: source for name, source in code if name}
        folder = Course(REPOSITORY).root / "staff" / assignment / "answers"
        self._kept = {(answer.of, answer.name): answer.cells for answer in answers(folder, "wrong")}
        self._data: dict[str, Any] = {}
        self._release = Course(REPOSITORY).release(assignment)  # whose description names mistakes

    def with_mistake(self, cell: str, entry: Mapping[str, Any]) -> dict[str, str]:
        """Return the sources of the cells that a mistake changes, by grade id."""
        if "answer" in entry:
            return {cell: entry["answer"], **entry.get("cells", {})}
        if "change" not in entry:
            return dict(self._kept[cell, entry["mistake"]])
        above, quotes, body = self._cells[cell].rpartition('"""')
        for old, new in entry["change"]:
            found = [text for text in (above, body) if text.count(old) == 1]
            if len(found) != 1 and body.count(old) != 1:
                raise ValueError(f"{cell}, {entry['mistake']}: expected {old!r} once")
            if body.count(old) == 1:
                body = body.replace(old, new)
            else:
                above = above.replace(old, new)
        return {cell: f"{above}{quotes}{body}", **entry.get("cells", {})}

    def told_of(self, changed: Mapping[str, str]) -> tuple[str, tuple[float, float]]:
        """Run the notebook with these cells; return what their tests print, and the points."""
        with contextlib.chdir(self._release):
            return self._told_of(changed)

    def _told_of(self, changed: Mapping[str, str]) -> tuple[str, tuple[float, float]]:
        names: dict[str, Any] = {"__name__": "__main__"}
        tests = {f"test_{cell}" for cell in changed if f"test_{cell}" in self._cells}
        tests |= {"test_train"} & {f"test_{cell.removesuffix('_run')}" for cell in changed}
        shown, got, possible = [], 0.0, 0.0
        for cell, source in {**self._cells, **changed}.items():
            is_other_test = cell.startswith("test_") and cell not in tests
            is_long = cell == "train_run" or cell.startswith("q1_3e") or cell == "error_plot"
            if is_other_test or is_long:
                continue
            if cell == "load_data" and self._data:
                names |= {name: value.copy() for name, value in self._data.items()}
                continue
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(None):
                try:
                    file = f"<{cell}>"
                    linecache.cache[file] = len(source), None, source.splitlines(True), file
                    exec(compile(source, file, "exec"), names)
                except Exception as error:
                    shown += [f"{cell} raises {type(error).__name__}: {error}"] * (cell in changed)
            if cell == "load_data":
                self._data = {name: names[name].copy() for name in _DATA}
            if cell in tests:
                parts = names["checks"].parts
                said = [f"{p.what}: {p.message}" for p in parts if p.message not in _NOT_TOLD]
                shown += [
                    *dict.fromkeys(said),
                    *(f"note: {note}" for note in names["checks"].notes),
                ]
                got += sum(part.points for part in parts if part.passed)
                possible += sum(part.points for part in parts)
        names.clear()  # functions keep it alive, and it has the images
        return "\n".join(shown), (got, possible)
