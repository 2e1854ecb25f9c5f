"""The order of the instructor's cells, in our own table beside nbgrader's in the gradebook.

nbgrader's tables do not store the order. Our rows use names as keys, because nbgrader gives a
notebook and its cells new keys each time it generates them.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, delete, insert, inspect, select
from sqlalchemy.exc import DBAPIError

CELL_ORDER = Table(
    "hw_grading_cell_order",
    MetaData(),
    Column("assignment", String(128), primary_key=True),
    Column("notebook", String(128), primary_key=True),
    Column("cell", String(128), primary_key=True),
    Column("position", Integer, nullable=False),
)


def store_order(gradebook: Any, assignment: str, notebook: str, cells: Sequence[str]) -> None:
    """Store the order of a notebook's cells, in place of what was stored before.

    `cells` are grade ids, from top to bottom. The rows of notebooks that the assignment no longer
    has are removed.
    """
    try:
        CELL_ORDER.create(gradebook.engine, checkfirst=True)
    except DBAPIError:  # another process may just have made it
        if not inspect(gradebook.engine).has_table(CELL_ORDER.name):
            raise
    kept = [n.name for n in gradebook.find_assignment(assignment).notebooks if n.name != notebook]
    ours = CELL_ORDER.c.assignment == assignment
    gradebook.db.execute(delete(CELL_ORDER).where(ours, CELL_ORDER.c.notebook.not_in(kept)))
    rows = [
        {"assignment": assignment, "notebook": notebook, "cell": cell, "position": position}
        for position, cell in enumerate(cells)
    ]
    if rows:
        gradebook.db.execute(insert(CELL_ORDER), rows)
    gradebook.db.commit()


def stored_order(gradebook: Any, assignment: str, notebook: str) -> list[str]:
    """Return the cells' grade ids from top to bottom; an empty list if no order was stored."""
    if not inspect(gradebook.engine).has_table(CELL_ORDER.name):
        return []
    of_notebook = CELL_ORDER.c.assignment == assignment, CELL_ORDER.c.notebook == notebook
    query = select(CELL_ORDER.c.cell).where(*of_notebook).order_by(CELL_ORDER.c.position)
    return list(gradebook.db.scalars(query))
