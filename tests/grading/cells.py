"""The code cells of a homework's notebook, and which of them a test cell needs.

All is read from ``source/<homework>/<homework>.ipynb``:

==========  =======================================================================
shared      locked cells above the first answer; they are run once
given       locked cells below it
function    an answer cell that defines a function of its own name, ``f``
test cell   ``test_f``; it charges the answer ``f``
delivered   a tested answer that is not a function: a value, an array, a list
==========  =======================================================================

What only the homework's staff knows is in ``staff/<homework>/answers/``: the answers (see
`answers`), the mutants that are right (``equivalent.py``), and ``validity.toml``.
"""

import functools
import importlib
import json
import symtable
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from settings import ROOT, SETTINGS, Settings, answers_folder, settings_of


@dataclass(frozen=True)
class Cell:
    """A code cell with a grade id, without solution markers."""

    id: str
    source: str
    points: float
    is_test: bool = False
    is_answer: bool = False

    @property
    def is_function(self) -> bool:
        """Whether the cell is an answer that defines a function of the cell's name."""
        return self.is_answer and self.id in _symbols(self.source).functions


class Notebook:
    """The instructor's notebook of one homework.

    Attributes
    ----------
    homework : str
    cells : dict of str to Cell
        In the notebook's order.
    settings : Settings
    """

    def __init__(self, homework: str, cells: Iterable[Cell], settings: Settings) -> None:
        self.homework = homework
        self.cells = {cell.id: cell for cell in cells}
        self.settings = settings
        unknown = {*settings.names} - self.cells.keys()
        if unknown:
            raise ValueError(
                f"staff/{homework}/answers/{SETTINGS} names {', '.join(sorted(unknown))}, and the "
                "notebook has no cell of that name. Expected are grade ids of its code cells."
            )

    @functools.cached_property
    def answers(self) -> tuple[str, ...]:
        """All answer cells."""
        return tuple(cell.id for cell in self.cells.values() if cell.is_answer)

    @functools.cached_property
    def tested(self) -> tuple[str, ...]:
        """Answers that a test cell with points charges."""
        return tuple(name for name in self.answers if self.tests_of(name))

    @functools.cached_property
    def functions(self) -> tuple[str, ...]:
        """Tested functions, without those that take seconds."""
        names = (name for name in self.tested if self.cells[name].is_function)
        return tuple(name for name in names if name not in self.settings.slow)

    @functools.cached_property
    def delivered(self) -> tuple[str, ...]:
        """Tested answers that are not functions, without those that take seconds."""
        others = (name for name in self.tested if not self.cells[name].is_function)
        return tuple(name for name in others if name not in self.settings.slow)

    @functools.cached_property
    def slow(self) -> tuple[str, ...]:
        """Tested answers that take seconds."""
        return tuple(name for name in self.tested if name in self.settings.slow)

    @functools.cached_property
    def shared(self) -> tuple[str, ...]:
        """Locked cells above the first answer."""
        return tuple(name for name in self._locked if self._comes_first(name))

    @functools.cached_property
    def given(self) -> tuple[str, ...]:
        """Locked cells below the first answer, without test cells."""
        return tuple(name for name in self._locked if not self._comes_first(name))

    @property
    def _locked(self) -> list[str]:
        return [c.id for c in self.cells.values() if not (c.is_answer or c.is_test)]

    def _comes_first(self, name: str) -> bool:
        order = list(self.cells)
        return not self.answers or order.index(name) < order.index(self.answers[0])

    def charged(self, test_id: str) -> str:
        """Return the answer that a test cell charges: test_q1_3a charges q1_3a."""
        name = test_id.removeprefix("test_")
        fitting = [a for a in self.answers if (name + "_").startswith(a + "_")]
        return max(fitting, key=len, default="")

    def tests_of(self, *answers: str) -> tuple[str, ...]:
        """Return the test cells with points that charge one of these answers, in order."""
        tests = (cell for cell in self.cells.values() if cell.is_test and cell.points)
        return tuple(cell.id for cell in tests if self.charged(cell.id) in answers)

    @functools.cached_property
    def quick_tests(self) -> tuple[str, ...]:
        """Test cells with points, except those of answers that take seconds."""
        return self.tests_of(*self.functions, *self.delivered)

    def in_order(self, tests: Iterable[str]) -> list[Cell]:
        """Return these test cells and the cells that they need, below the shared ones, in order."""
        chosen = {*tests}
        chosen |= {cell.id for cell in self.runs(chosen)}
        return [cell for cell in self.cells.values() if cell.id in chosen]

    def runs(self, tests: Iterable[str]) -> list[Cell]:
        """Return the cells that these test cells need, below the shared ones, in order.

        All functions and given cells are included. Any other answer is included if a test charges
        it, or if such an answer or its test reads a name that it binds.
        """
        needed: set[str] = set()
        waiting = [self.charged(test) for test in tests]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += self._read_by(name)
        return [
            cell
            for cell in self.cells.values()
            if cell.id in needed or cell.id in self.given or self._is_always_run(cell)
        ]

    def _is_always_run(self, cell: Cell) -> bool:
        return cell.is_function and cell.id not in self.settings.slow

    def _read_by(self, name: str) -> list[str]:
        """Return the answers above `name`, without functions, that it or its tests read."""
        read: set[str] = set()
        own = _symbols(self.cells[name].source)
        for test in self.tests_of(name):
            symbols = _symbols(self.cells[test].source)
            read |= symbols.read - symbols.bound
        read = (read | own.read) - own.bound
        above = self.answers[: self.answers.index(name)]
        others = [
            self.cells[other] for other in above if not self._is_always_run(self.cells[other])
        ]
        return [other.id for other in others if _symbols(other.source).bound & read]


@dataclass(frozen=True)
class _Symbols:
    """The names of a cell: those that it binds, global ones that it reads, its functions."""

    bound: frozenset[str]
    read: frozenset[str]
    functions: frozenset[str]


@functools.cache
def _symbols(source: str) -> _Symbols:
    top = symtable.symtable(source, "<cell>", "exec")
    inner = _tables_within(top)
    read = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    read |= {s.get_name() for table in inner for s in table.get_symbols() if s.is_global()}
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    functions = {table.get_name() for table in top.get_children() if table.get_type() == "function"}
    return _Symbols(frozenset(bound), frozenset(read), frozenset(functions))


def _tables_within(table: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    children = table.get_children()
    return [*children, *(inner for child in children for inner in _tables_within(child))]


def homeworks() -> list[str]:
    """Return the homeworks that have answers: a notebook in ``source``, a folder in ``staff``."""
    names = sorted(path.parent.name for path in (ROOT / "source").glob("*/*.ipynb"))
    return [name for name in names if answers_folder(name).is_dir()]


@functools.cache
def notebook_of(homework: str) -> Notebook:
    """Read the instructor's notebook of a homework; each call returns the same object."""
    path = ROOT / "source" / homework / f"{homework}.ipynb"
    cells = []
    for raw in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        meta = raw["metadata"].get("nbgrader")
        if raw["cell_type"] == "code" and meta:
            cells.append(_cell("".join(raw["source"]), meta))
    return Notebook(homework, cells, settings_of(homework))


def _cell(text: str, meta: Mapping[str, object]) -> Cell:
    source = "\n".join(line for line in text.split("\n") if not _is_marker(line))
    grade_id, is_answer = str(meta["grade_id"]), bool(meta.get("solution"))
    points = float(str(meta.get("points") or 0))
    is_test = grade_id.startswith("test_") and not is_answer
    return Cell(grade_id, source, points, is_test, is_answer)


def _is_marker(line: str) -> bool:
    return line.strip() in ("### BEGIN SOLUTION", "### END SOLUTION")


@functools.cache
def equivalent_of(homework: str) -> dict[str, dict[str, str]]:
    """Return the mutants that are right answers: function, key, and the reason why.

    They are ``EQUIVALENT`` in ``staff/<homework>/answers/equivalent.py``.
    """
    if not (answers_folder(homework) / "equivalent.py").is_file():
        return {}
    module = importlib.import_module(f"staff.{homework}.answers.equivalent")
    equivalent: dict[str, dict[str, str]] = module.EQUIVALENT
    return equivalent
