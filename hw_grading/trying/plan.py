"""What an answer can change: which tests depend on a cell, and which cells a test needs.

A notebook is cut down to what a test needs, so that trying a small change takes no training.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from nbformat import NotebookNode

from hw_grading.examiner.notebook import names_read
from hw_grading.homework.layout import ANSWER, LOCKED, TEST
from hw_grading.homework.notebook import as_released, kind_of, uses_checks
from hw_support.source import bound_by, tested_in, tree_of
from hw_support.submission.cells import grade_id_of

_SAME: Mapping[str, str] = {}


@dataclass(frozen=True)
class CodeCell:
    """A code cell, and the names that it binds and reads."""

    index: int  # among all cells of the notebook
    name: str  # the grade id; "" without one
    source: str
    kind: str  # see `hw_grading.homework.notebook`
    binds: frozenset[str]
    reads: frozenset[str]

    @property
    def sets_up(self) -> bool:
        """Whether it is the instructor's, and imports something or does no more than an effect."""
        is_setting_up = not self.binds or re.search(r"^(?:import|from) ", self.source, re.M)
        return self.kind == LOCKED and bool(is_setting_up)

    @property
    def functions(self) -> list[str]:
        """The functions that it defines."""
        found = re.findall(r"^(?:def (\w+)|(\w+) = lambda)", self.source, re.M)
        return [a or b for a, b in found]

    @property
    def tested(self) -> list[str]:
        """The functions or questions that a test names in its `Checks`."""
        return [name for name, _ in tested_in(self.source)] if self.kind == TEST else []


class Plan:
    """A notebook with solutions, and what depends on what in it."""

    def __init__(self, name: str, notebook: NotebookNode) -> None:
        self.name, self.notebook = name, notebook
        self.cells = [
            _code_cell(index, cell)
            for index, cell in enumerate(notebook.cells)
            if cell.cell_type == "code"
        ]
        self.whole: set[str] = set()  # tests that need all cells above: names do not tell why

    @cached_property
    def tests(self) -> dict[str, CodeCell]:
        """The test cells by grade id."""
        return {cell.name: cell for cell in self.cells if cell.kind == TEST}

    @property
    def reference(self) -> list[tuple[str, str, str]]:
        """Kind, grade id and source of all cells, as `run_solutions` takes them."""
        own = (TEST, ANSWER)
        return [(c.kind if c.kind in own else LOCKED, c.name, c.source) for c in self.cells]

    def label(self, cell: CodeCell) -> str:
        """Return what a solution's cell defines, its grade id if that is another, and where."""
        defined = ", ".join(cell.functions or sorted(cell.binds)) or cell.name
        named = "" if defined == cell.name else f"cell {cell.name}, "
        return f"{defined} ({named}{self.name}.ipynb)"

    @cached_property
    def answers(self) -> dict[str, CodeCell]:
        """The cells with solutions by grade id."""
        return {cell.name: cell for cell in self.cells if cell.kind == ANSWER}

    def needed(self, test: str, instead: Mapping[str, str] = _SAME) -> set[int]:
        """Return the indices of the cells without which a test cannot run, as in the notebook.

        Earlier tests are among them, if this one needs what they bind. `instead` has other sources
        of cells, by grade id.
        """
        last = self.tests[test]
        above = [c for c in self.cells if c.index < last.index and self._leaves_names(c)]
        needed = {last.index}
        if test in self.whole:
            return needed.union(cell.index for cell in above)
        names = {*last.reads, *last.tested}
        for cell in reversed(above):
            binds, reads = cell.binds, cell.reads
            if source := instead.get(cell.name):
                binds, reads = binds.union(bound_by(source)), frozenset(_read_in(source))
            if cell.sets_up or names & binds:
                needed.add(cell.index)
                names |= reads
        return needed

    def _leaves_names(self, cell: CodeCell) -> bool:
        return cell.kind != TEST or not uses_checks(self.notebook.cells[cell.index])

    def sources(self, tests: Collection[str]) -> list[tuple[str, str]]:
        """Return name and source of these tests, and of earlier ones that they need."""
        needed = {index for test in tests for index in self.needed(test)}
        return [(c.name, c.source) for c in self.cells if c.kind == TEST and c.index in needed]

    def tests_of(self, answer: str) -> list[str]:
        """Return the tests that are about an answer: those that name what it binds, else all."""
        cell = self.answers[answer]
        below = [test for test in self.tests.values() if test.index > cell.index]
        named = [test.name for test in below if cell.binds.intersection(test.tested)]
        direct = [t.name for t in below if not uses_checks(self.notebook.cells[t.index])]
        direct = [name for name in direct if cell.binds & self.tests[name].reads]
        return named + direct or self.affected([answer])

    def shows_all(self, test: str) -> bool:
        """Whether students see all that a test asks: it has no hidden line and no fresh case."""
        cell = self.notebook.cells[self.tests[test].index]
        return not uses_checks(cell) and as_released(cell.source) == cell.source

    def affected(self, answers: Collection[str]) -> list[str]:
        """Return the tests whose result one of these answers can change, in their order."""
        changed = {self.answers[name].index for name in answers if name in self.answers}
        return [test for test in self.tests if changed & self.needed(test)]

    def cut(self, tests: Collection[str], instead: Mapping[str, str]) -> NotebookNode:
        """Return a copy with these tests and what they need, and other sources in cells."""
        needed = {index for test in tests for index in self.needed(test, instead)}
        notebook = copy.copy(self.notebook)
        notebook.cells = [
            copy.deepcopy(self.notebook.cells[cell.index])
            for cell in self.cells
            if cell.index in needed
        ]
        for cell in notebook.cells:
            cell.source = instead.get(grade_id_of(cell) or "", cell.source)
        return notebook


def _code_cell(index: int, cell: NotebookNode) -> CodeCell:
    binds, reads = frozenset(bound_by(cell.source)), frozenset(_read_in(cell.source))
    return CodeCell(index, grade_id_of(cell) or "", cell.source, kind_of(cell), binds, reads)


def _read_in(source: str) -> Iterator[str]:
    """Yield the names that a cell reads before it binds them, statement by statement."""
    bound: set[str] = set()
    for statement in tree_of(source).body:
        text = ast.unparse(statement)
        yield from names_read(text) - bound
        if isinstance(statement, ast.Assign | ast.Import | ast.ImportFrom | ast.FunctionDef):
            bound.update(bound_by(text))
