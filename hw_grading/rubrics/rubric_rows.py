"""The stored rubric of one question."""

from __future__ import annotations

import uuid
from dataclasses import asdict, replace

from sqlalchemy import and_, update

from hw_grading.rubrics.model import Item, Kind, Rubric
from hw_grading.rubrics.rows import Rows
from hw_grading.rubrics.tables import ITEMS, RUBRICS


def read_rubric(rows: Rows, first: Rubric) -> tuple[Rubric, str]:
    """Return the rubric and who changed it last; `first` and "" before any change.

    The bounds are not above those of `first`, because the question may be worth less by now.
    """
    found = rows.all(RUBRICS)
    if not found:
        return first, ""
    row = found[0]
    items = tuple(
        Item(item.id, item.points, item.text, item.note)
        for item in sorted(rows.all(ITEMS), key=lambda item: item.position)
        if not item.deleted
    )
    rubric = Rubric(items, Kind(row.kind), row.lower, row.upper, row.revision)
    return rubric.within(first.upper), str(row.grader)


def write_rubric(rows: Rows, rubric: Rubric, grader: str) -> Rubric:
    """Write a rubric as its next revision. Return it with ids for its new items."""
    items = tuple(
        Item(item.id or uuid.uuid4().hex, item.points, item.text.strip(), item.note.strip())
        for item in rubric.items
    )
    rubric = replace(rubric, items=items, revision=rubric.revision + 1)
    known = {row.id for row in rows.all(ITEMS)}
    for position, item in enumerate(items):
        values = asdict(item)
        values |= {"position": position, "deleted": False, "revision": rubric.revision}
        if item.id in known:
            here = and_(rows.here(ITEMS), ITEMS.c.id == item.id)
            rows.execute(update(ITEMS).where(here).values(**values))
        else:
            rows.insert(ITEMS, **values)
    left = and_(rows.here(ITEMS), ITEMS.c.id.in_(known - {item.id for item in items}))
    rows.execute(update(ITEMS).where(left).values(deleted=True))
    values = {name: getattr(rubric, name) for name in ("lower", "upper", "revision")}
    rows.replace(RUBRICS, [{"kind": str(rubric.kind), "grader": grader, **values}])
    return rubric
