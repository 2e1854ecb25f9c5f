"""Find a notebook's homework by its grade ids; ids that two homeworks share do not count."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from hw_support.submission.cells import grade_id_of

_HARDLY_ANY = 0.1  # at most this share of the cells that only the expected homework has
_MOST = 0.5  # more than this share of the cells that only another homework has


@dataclass(frozen=True)
class Mistaken:
    """A notebook of one homework that was submitted as another; both have cells of their own."""

    homework: str  # to which it belongs
    found: int  # that homework's own cells in the notebook
    of: int  # that homework's own cells in all
    found_of_own: int  # the other homework's own cells in the notebook


def grade_ids_in(notebook: NotebookNode) -> frozenset[str]:
    """Return all grade ids that a notebook's cells carry."""
    return frozenset(name for cell in notebook.cells if (name := grade_id_of(cell)) is not None)


def mistaken_for(
    found: AbstractSet[str], own: AbstractSet[str], others: Mapping[str, AbstractSet[str]]
) -> Mistaken | None:
    """Return the other homework to which a notebook clearly belongs, if there is one.

    `found` are the grade ids in the notebook, `own` those of the homework as which it was
    submitted. The notebook must have more than half of the cells that only the other homework has,
    and at most a tenth of those that only the expected one has. The other homework with the most
    such cells is returned.
    """
    possible = []
    for name, theirs in sorted(others.items()):
        only_own, only_theirs = own - theirs, theirs - own
        here = Mistaken(name, len(found & only_theirs), len(only_theirs), len(found & only_own))
        if here.found > _MOST * here.of and here.found_of_own <= _HARDLY_ANY * len(only_own):
            possible.append(here)
    return max(possible, key=lambda one: one.found, default=None)


def closest(found: AbstractSet[str], homeworks: Mapping[str, AbstractSet[str]]) -> list[str]:
    """Return the homeworks with the most grade ids in common; several if they tie."""
    common = {name: len(found & ids) for name, ids in homeworks.items()}
    most = max(common.values(), default=0)
    return [name for name, count in common.items() if count == most > 0]


def named_in(path: Path, homeworks: Mapping[str, object]) -> list[str]:
    """Return the homeworks whose name is a separate word in a file's name."""
    around = r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])".format
    return [name for name in homeworks if re.search(around(re.escape(name)), path.stem, re.I)]
