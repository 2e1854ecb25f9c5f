"""Fresh cases are of the kinds that visible cases show, so what passes on those loses nothing."""

import functools
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import nbformat
import numpy as np
import pytest

from hw_grading.commands.sample import cell_of
from hw_grading.examiner.reference import Reference
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.layout import lay_out
from hw_grading.homework.notebook import instructors_first_cells, is_test
from hw_support.checks.cases import arrays
from hw_support.checks.fresh import SEED_VARIABLE
from hw_support.checks.notebook_access import Notebook
from hw_support.checks.parts import Part
from hw_support.checks.running import Plan, Running
from hw_support.submission.cells import grade_id_of

SEEDS = range(20)
ORDINARY = 0.1, 3.0  # sizes that fresh arrays may have although no visible one has them
COURSE = Course(REPOSITORY)
NOTEBOOKS = {
    name: nbformat.read(COURSE.source(name) / f"{name}.ipynb", as_version=4)
    for name in COURSE.homeworks()
}
TESTS = [
    (name, str(grade_id_of(cell)))
    for name, notebook in NOTEBOOKS.items()
    for cell in notebook.cells
    if is_test(cell) and "returns=" in cell.source
]


@functools.cache
def reference_of(homework: str) -> Reference:
    """What is right for a homework of this repository."""
    return Reference(lay_out(COURSE.homework(homework)))


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


def sizes(value: Any) -> list[float]:
    """Return the size of each array in an input: that of its largest number."""
    if isinstance(value, list):
        return [size for entry in value for size in sizes(entry)]
    return [] if callable(value) else [float(np.abs(value).max())]


def outside(fresh: list[float], visible: list[float]) -> list[float]:
    """Return the sizes of fresh arrays beyond those of visible ones, and beyond ordinary ones."""
    least, most = min([*visible, ORDINARY[0]]), max([*visible, ORDINARY[1]])
    return [size for size in fresh if size and not least <= size <= most]


def by_input(cases: Iterable[Any], inputs: int) -> list[list[Any]]:
    """Return the values of some cases, for each of the inputs."""
    rows = [arrays(tuple(case)) for case in cases]
    return [[row[n] for row in rows if n < len(row)] for n in range(inputs)]


@pytest.mark.parametrize(("homework", "test"), TESTS)
def test_fresh_cases_are_of_kinds_that_visible_cases_show(
    homework: str, test: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[str, list[tuple[Any, Any]]] = {}

    def note(_: Running, plan: Plan, above: list[Part]) -> Part:
        drawn.setdefault(f"part {len(above) + 1}", []).append((plan.visible, plan.fresh))
        return plan.part

    monkeypatch.setattr(Running, "outcome", note)
    monkeypatch.setattr(Notebook, "reference", reference_of(homework).at(test))
    names: dict[str, Any] = {"__name__": "__main__"}
    notebook = NOTEBOOKS[homework]
    for source in instructors_first_cells(notebook).values():
        exec(source, names)
    for seed in SEEDS:
        monkeypatch.setenv(SEED_VARIABLE, str(seed))
        exec(cell_of(notebook, test).source, names)
    assert any(fresh for tries in drawn.values() for _, fresh in tries)
    inputs = len(names["checks"]._cases.inputs)
    for part, tries in drawn.items():
        shown = by_input((case for cases, _ in tries for case in cases), inputs)
        fresh = by_input((case for _, cases in tries for case in cases), inputs)
        for n, (new, old) in enumerate(zip(fresh, shown, strict=True)):
            more = {*chain(*map(kinds, new))} - {*chain(*map(kinds, old))}
            assert not more, f"{part}, input {n}: no visible case has inputs of these kinds"
            far = outside(sizes(new), sizes(old))
            assert not far, f"{part}, input {n}: no visible case has inputs of these sizes"
