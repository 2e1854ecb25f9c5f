"""The rubric of a question: its first form, and its changes.

The first rubric is made from the mark scheme. A line such as ``- 1: both curves, with a legend.``
becomes an item of one point. Two answers to one question share its mark scheme. Then each line
names its answer, as in ``- Images, 1: …`` and ``- Text, 1: …``, in the order of the answers.
A changed rubric is applied to the answers that were already graded.
"""

import hashlib
import itertools
import json
import math
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from hw_grading.gradebook.marks import Answer, Rows, Stamp, log, read_answers, rescore
from hw_grading.gradebook.model import Item, Kind, Mark, Refused, Rescored, Rubric, RubricChanged
from hw_grading.gradebook.questions import Places
from hw_grading.gradebook.scores import Cell, in_digits, signed
from hw_grading.gradebook.tables import RUBRICS, put

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
    return Rubric(tuple(first), upper=cell.max_points)


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
    """Return the rubric and who changed it last; the first one and "" before any change.

    The bounds are not above the question's points, which may be fewer by now.
    """
    found = rows.all(RUBRICS)
    if not found:
        return rows.first, ""
    (row,) = found
    rubric = rubric_of(json.loads(row.rubric) | {"revision": row.revision})
    return rubric.within(rows.most), str(row.grader)


def write_rubric(rows: Rows, rubric: Rubric, grader: str) -> Rubric:
    """Write a rubric as its next revision. Return it with ids for its new items."""
    items = tuple(
        Item(item.id or uuid.uuid4().hex, item.points, item.text.strip(), item.note.strip())
        for item in rubric.items
    )
    rubric = replace(rubric, items=items, revision=rubric.revision + 1)
    plain = json.dumps(_plain(rubric, rows.most))
    put(rows.connection, RUBRICS, rows.key, grader=grader, revision=rubric.revision, rubric=plain)
    return rubric


def rubric_of(values: Mapping[str, Any]) -> Rubric:
    """Return a rubric from JSON data: of a row, an event, or an exported document."""
    items = tuple(
        Item(str(i.get("id", "")), float(i["points"]), str(i["text"]), str(i.get("note", "")))
        for i in values["items"]
    )
    bounds = (float(values["lower"]), float(values.get("upper", math.inf)))
    return Rubric(items, Kind(values["kind"]), *bounds, values.get("revision", 0))


def _plain(rubric: Rubric, most: float) -> dict[str, Any]:
    """Return a rubric as JSON data.

    An upper bound that is the question's points is left out: the question may have more some day.
    """
    data = asdict(rubric)
    del data["revision"]
    if rubric.upper >= most:
        del data["upper"]
    return data


# -- changed


def rescored(answers: Mapping[str, Answer], rubric: Rubric, most: float) -> list[Rescored]:
    """Return the answers, graded on the desk last, whose score changes under another rubric."""
    found = []
    for student, mark in _graded(answers).items():
        before = answers[student].grading.score
        after = rubric.score(mark.chosen, mark.adjustment, most)
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
        score = new.score(mark.chosen, mark.adjustment, rows.most)
        rescore(rows, answers[student], score, new.comment(mark, rows.most))
    after = {"rubric": asdict(new), "what": _in_words(old, new, len(changed))}
    log(rows, stamp, "", {"rubric": asdict(old)}, after)
    for one in changed:
        of_this = replace(stamp, action="rescored")
        log(rows, of_this, one.student, {"score": one.before}, {"score": one.after})
    return new, changed


def _graded(answers: Mapping[str, Answer]) -> dict[str, Mark]:
    """Return the marks of answers graded on the desk last."""
    gradings = {student: answer.grading for student, answer in answers.items()}
    return {s: one.mark for s, one in gradings.items() if one.mark.done and not one.overridden}


def _in_words(old: Rubric, new: Rubric, scores: int) -> str:
    """Return a description of the difference, for the history."""
    before = {item.id: item for item in old.items}
    after = {item.id: item for item in new.items}
    said = [f"added “{after[key].text}”" for key in after if key not in before]
    said += [f"deleted “{before[key].text}”" for key in before if key not in after]
    for key in before.keys() & after.keys():
        one, other = before[key], after[key]
        if one.points != other.points:
            said.append(f"“{other.text}”: {signed(one.points)} became {signed(other.points)}")
        if one.text != other.text:
            said.append(f"“{one.text}” became “{other.text}”")
        if one.note != other.note:
            said.append(f"new note on “{other.text}”")
    if old.kind != new.kind:
        said.append(f"{old.kind} became {new.kind}")
    if (old.lower, old.upper) != (new.lower, new.upper):
        said.append(f"bounds {in_digits(new.lower)} to {in_digits(new.upper)}")
    return f"{'; '.join(said) or 'another order'} (scores changed: {scores})"


# -- taken to another class


def exported(rubric: Rubric, most: float) -> dict[str, Any]:
    """Return a rubric as JSON data, without what means nothing in another class."""
    data = _plain(rubric, most)
    for item in data["items"]:
        del item["id"]
    return data


def rubrics_in(document: object) -> dict[str, Rubric]:
    """Return the rubrics of an exported document, by question."""
    try:
        if document["format"] != FORMAT:  # type: ignore[index]
            raise KeyError
        found = document["rubrics"].items()  # type: ignore[index]
        rubrics = {str(cell): rubric_of(rubric) for cell, rubric in found}
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused("This file has no rubrics. Choose a file that the desk exported.") from error
    return {
        cell: replace(one, items=tuple(replace(item, id="") for item in one.items), revision=0)
        for cell, one in rubrics.items()
    }
