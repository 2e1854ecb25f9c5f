"""Which homework a notebook belongs to, by the grade ids in it.

Homeworks may share some ids, such as that of the cell with the imports. Only ids that one of two
homeworks has and the other has not tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from hw_support.submission.mending import grade_id_of

_HARDLY_ANY = 0.1  # of a homework's own cells
_MOST = 0.5  # of another one's


@dataclass(frozen=True)
class Mistaken:
    """A notebook of one homework that was handed in as another.

    Attributes
    ----------
    homework
        The one that it is.
    found, of
        How many of that homework's own cells are in it, and how many there are.
    found_of_own
        How many cells of the one that it was handed in as are in it, those left out that both have.
    """

    homework: str
    found: int
    of: int
    found_of_own: int


def grade_ids_in(notebook: NotebookNode) -> frozenset[str]:
    """Return all grade ids that a notebook's cells carry."""
    return frozenset(name for cell in notebook.cells if (name := grade_id_of(cell)) is not None)


def mistaken_for(
    found: AbstractSet[str], own: AbstractSet[str], others: Mapping[str, AbstractSet[str]]
) -> Mistaken | None:
    """Say whether a notebook is clearly of another homework than the one it is handed in as.

    Parameters
    ----------
    found
        The grade ids in the notebook.
    own
        Those of the homework that it is handed in as.
    others
        Those of other homeworks, by name.

    Returns
    -------
    Mistaken or None
        The other homework of whose own cells it has most, if it has more than half of them, and
        hardly any (a tenth at most) of the cells that only the right homework has.
    """
    best: Mistaken | None = None
    for name, theirs in sorted(others.items()):
        only_own, only_theirs = own - theirs, theirs - own
        here = Mistaken(name, len(found & only_theirs), len(only_theirs), len(found & only_own))
        if here.found <= _MOST * here.of or here.found_of_own > _HARDLY_ANY * len(only_own):
            continue
        if best is None or here.found > best.found:
            best = here
    return best


def closest(found: AbstractSet[str], homeworks: Mapping[str, AbstractSet[str]]) -> list[str]:
    """Return the homeworks with most grade ids in common; several if equally many are."""
    common = {name: len(found & ids) for name, ids in homeworks.items()}
    most = max(common.values(), default=0)
    return [name for name, count in common.items() if count == most > 0]


def named_in(path: Path, homeworks: Mapping[str, object]) -> list[str]:
    """Return the homeworks whose name stands in a file's name as a word of its own."""
    return [
        name
        for name in homeworks
        if re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", path.stem, re.IGNORECASE)
    ]
