"""Fresh cases are of the kinds that visible cases show, so what passes on those loses nothing."""

import importlib
import re
from collections.abc import Iterator
from typing import Any

import nbformat
import numpy as np
import pytest

from hw_grading.commands.sample import cell_of
from hw_grading.homework.cells import instructors_first_cells, is_test
from hw_grading.homework.course import REPOSITORY, Course
from hw_support import checks
from hw_support.fresh import SEED_VARIABLE
from hw_support.submission.cells import grade_id_of

SEEDS = range(20)


def name_of_checks(cell: nbformat.NotebookNode) -> str:
    """Return the name for which a test cell's fresh cases are drawn; "" for other cells."""
    found = re.search(r"Checks\(\s*\"(\w+)\"", cell.source) if is_test(cell) else None
    return found[1] if found else ""


NOTEBOOKS = {
    name: nbformat.read(REPOSITORY / "source" / name / f"{name}.ipynb", as_version=4)
    for name in Course(REPOSITORY).homeworks()
}
TESTS = [
    (name, str(grade_id_of(cell)))
    for name, notebook in NOTEBOOKS.items()
    for cell in notebook.cells
    if hasattr(importlib.import_module(f"staff.{name}.fresh"), name_of_checks(cell))
]


def kinds(value: Any) -> Iterator[tuple[object, ...]]:
    """Yield what an input is like: rank, type, signs, sizes of 1; of lists the number of layers."""
    if callable(value):
        yield ("function",)
    elif isinstance(value, list):
        yield "layers", min(len(value), 3)
        for entry in value:
            yield from kinds(entry)
    else:
        array = np.asarray(value)
        yield "rank", array.ndim
        yield "type", array.dtype.kind
        yield from (("sign", sign) for sign in np.unique(np.sign(array)).tolist())
        yield from (("size 1", n, array.ndim) for n, size in enumerate(array.shape) if size == 1)
        yield from (("size", n, array.ndim) for n, size in enumerate(array.shape) if size > 1)


def kinds_of(cases: Any, inputs: int) -> list[set[tuple[object, ...]]]:
    """Return the kinds that occur in some cases, for each of the inputs."""
    found: list[set[tuple[object, ...]]] = [set() for _ in range(inputs)]
    for case in cases:
        for seen, value in zip(found, checks._arrays(tuple(case)), strict=False):
            seen.update(kinds(value))
    return found


@pytest.mark.parametrize(("homework", "test"), TESTS)
def test_fresh_cases_are_of_kinds_that_visible_cases_show(
    homework: str, test: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[str, list[tuple[Any, Any]]] = {}

    def note(
        self: checks.Checks, part: checks.Part, function: Any, cases: Any, fresh: Any
    ) -> checks.Part:
        drawn.setdefault(f"part {len(self.parts) + 1}", []).append((cases, fresh))
        return part

    monkeypatch.setattr(checks.Checks, "_run", note)
    monkeypatch.setattr(checks, "earned", {})
    names: dict[str, Any] = {"__name__": "__main__"}
    notebook = NOTEBOOKS[homework]
    for source in instructors_first_cells(notebook).values():
        exec(source, names)
    for seed in SEEDS:
        monkeypatch.setenv(SEED_VARIABLE, str(seed))
        exec(cell_of(notebook, test).source, names)
    assert any(fresh for tries in drawn.values() for _, fresh in tries)
    inputs = len(names["checks"]._inputs)
    for part, tries in drawn.items():
        shown = kinds_of((case for cases, _ in tries for case in cases), inputs)
        fresh = kinds_of((case for _, cases in tries for case in cases), inputs)
        new = {n: more for n, (one, other) in enumerate(zip(fresh, shown, strict=True))
               if (more := one - other)}  # fmt: skip
        assert not new, f"{part}: no visible case has inputs of these kinds"
