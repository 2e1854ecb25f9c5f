"""The rubric of a question: its first form, and its changes.

The first rubric is made from the mark scheme. A line such as ``- 1: both curves, with a legend.``
becomes an item of one point. Two answers to one question share its mark scheme. Then each line
names its answer, as in ``- Images, 1: …`` and ``- Text, 1: …``, in the order of the answers.
A changed rubric is applied to the answers that were already graded.
"""

import hashlib
import itertools
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from hw_grading.gradebook.marks import Answer, Rows, Stamp, log, read_answers, rescore
from hw_grading.gradebook.model import Item, Mark, Refused, Rescored, Rubric, RubricChanged
from hw_grading.gradebook.questions import Places
from hw_grading.gradebook.scores import Cell
from hw_grading.gradebook.tables import ALL_POINTS, RUBRICS, put

FORMAT = "hw_grading rubrics"
_ITEM = re.compile(
    r"^[-*] +(?:(?P<label>[^:,\n]{1,40}), +)?(?P<points>[+-]?\d+(?:\.\d+)?): +"
    r"(?P<text>.+(?:\n(?:[ \t]+\S.*))*)",
    re.MULTILINE,
)


def first_rubric(cell: Cell, cells: Sequence[Cell], places: Places) -> Rubric:
    """Return a question's rubric before any change; `cells` are all cells that people grade."""
    items = _items(cell, cells, places)
    if _sum(items) != cell.max_points:
        items = [(cell.max_points, "Right and complete.")]
    items.append((0.0, "No answer, or none of the above."))
    first = []
    for n, (points, text) in enumerate(items):
        # The id is always the same, because graders may use an item before it is saved.
        key = hashlib.sha256(f"{cell.name}\n{n}\n{text}".encode()).hexdigest()[:32]
        first.append(Item(key, points, text))
    return Rubric(tuple(first))


def wrong_sums(cells: Sequence[Cell], places: Places) -> Iterator[str]:
    """Yield a sentence for each answer whose mark scheme does not become its first rubric."""
    for cell in cells:
        items = _items(cell, cells, places)
        if items and _sum(items) != cell.max_points:
            yield (
                f"cell {cell.name}: the lines of its mark scheme sum to {_sum(items):g} points, "
                f"but the cell has {cell.max_points:g}. Change one of the two."
            )


def _items(cell: Cell, cells: Sequence[Cell], places: Places) -> list[tuple[float, str]]:
    """Return points and texts of the mark scheme's lines for one answer."""
    scheme = places[cell.name].scheme
    found = [match.groupdict() for match in _ITEM.finditer(scheme)]
    together = [one.name for one in cells if places[one.name].scheme == scheme]
    parts = [list(part) for _, part in itertools.groupby(found, key=lambda item: item["label"])]
    if len(together) > 1 and len(parts) == len(together):
        found = parts[together.index(cell.name)]
    return [(float(item["points"]), " ".join(item["text"].split())) for item in found]


def _sum(items: Sequence[tuple[float, str]]) -> float:
    return sum(points for points, _ in items)


# -- stored


def read_rubric(rows: Rows) -> tuple[Rubric, str]:
    """Return the rubric and who changed it last; the first one and "" before any change."""
    found = rows.all(RUBRICS)
    if not found:
        return rows.first, ""
    (row,) = found
    values = json.loads(row.rubric) | {"revision": row.revision}
    return rubric_of(values, rows.most), str(row.grader)


def write_rubric(rows: Rows, rubric: Rubric, grader: str) -> Rubric:
    """Write a rubric as its next revision. Return it with ids for its new items."""
    items = tuple(
        Item(item.id or uuid.uuid4().hex, item.points, item.text.strip(), item.note.strip())
        for item in rubric.items
    )
    rubric = Rubric(items, rubric.revision + 1)
    plain = json.dumps({"items": [asdict(item) for item in items]})
    put(rows.connection, RUBRICS, rows.key, grader=grader, revision=rubric.revision, rubric=plain)
    return rubric


def rubric_of(values: Mapping[str, Any], most: float) -> Rubric:
    """Return a rubric from JSON data: of a row, an event, or an exported document.

    In version 2.0 points could begin at those of the question, `most`: now an item gives them.
    """
    items = [
        Item(str(i.get("id", "")), float(i["points"]), str(i["text"]), str(i.get("note", "")))
        for i in values["items"]
    ]
    if values.get("kind") == "subtracting" and ALL_POINTS not in [item.id for item in items]:
        items.insert(0, Item(ALL_POINTS, most, "All points, before those taken off"))
    return Rubric(tuple(items), values.get("revision", 0))


# -- changed


def rescored(answers: Mapping[str, Answer], rubric: Rubric, most: float) -> list[Rescored]:
    """Return the answers, graded on the desk last, whose score changes under another rubric."""
    found = []
    for student, mark in _graded(answers).items():
        before, after = answers[student].grading.score, rubric.score(mark, most)
        if before is not None and after != before:
            found.append(Rescored(student, before, after))
    return found


def change(rows: Rows, rubric: Rubric, stamp: Stamp) -> tuple[Rubric, list[Rescored]]:
    """Save a rubric, its scores and comments; `RubricChanged` if somebody else has changed it."""
    old, by = read_rubric(rows)
    if rubric.revision != old.revision:
        raise RubricChanged(old, by)
    new = write_rubric(rows, rubric, stamp.grader)
    # Marks keep the items that are deleted: here they may be back again.
    answers = read_answers(rows, new, lock=True)
    changed = rescored(answers, new, rows.most)
    for student, mark in _graded(answers).items():
        rescore(rows, answers[student], new.score(mark, rows.most), new.comment(mark))
    log(rows, stamp, "", {"rubric": asdict(old)}, {"rubric": asdict(new)})
    for one in changed:
        of_this = replace(stamp, action="rescored")
        log(rows, of_this, one.student, {"score": one.before}, {"score": one.after})
    return new, changed


def _graded(answers: Mapping[str, Answer]) -> dict[str, Mark]:
    """Return the marks of answers graded on the desk last."""
    gradings = {student: answer.grading for student, answer in answers.items()}
    return {s: one.mark for s, one in gradings.items() if one.mark.done and not one.overridden}


# -- taken to another class


def exported(rubric: Rubric) -> dict[str, Any]:
    """Return a rubric as JSON data, without what means nothing in another class."""
    return {"items": [vars(replace(item, id="")) for item in rubric.items]}


def rubrics_in(document: object, points: Mapping[str, float]) -> dict[str, Rubric]:
    """Return the rubrics of an exported document, for the questions with these points."""
    try:
        if document["format"] != FORMAT:  # type: ignore[index]
            raise KeyError
        found = document["rubrics"].items()  # type: ignore[index]
        rubrics = {cell: rubric_of(one, points[cell]) for cell, one in found if cell in points}
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused("This file has no rubrics. Choose a file that the desk exported.") from error
    return {
        cell: Rubric(tuple(replace(item, id="") for item in one.items))
        for cell, one in rubrics.items()
    }
