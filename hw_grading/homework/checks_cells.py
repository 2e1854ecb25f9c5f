"""What a release can know of test cells with `Checks` before they run.

A name that students can change, a last line that is not a score, a case that does not fit its
function: each would cost right answers their points, or give wrong ones full marks. Here each is a
line and a sentence. What a text does not tell, such as a computed list of cases, is left to the run
of the instructor's solutions.
"""

import ast
import builtins
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import is_solution

from hw_grading.homework.cells import as_released, is_test, is_trusted
from hw_grading.homework.points import opened_in
from hw_support.source import bound_by, imported_alone_by, read_by, tree_of
from hw_support.submission.problems import quoted

_Wrong = tuple[int, str]  # a line of a cell, and a sentence
_Function = ast.FunctionDef | ast.Lambda
_BUILTINS = frozenset(dir(builtins))
_SEMICOLON = re.compile(r";[ \t]*(?:#.*)?\s*\Z")  # with it, IPython shows no result


@dataclass
class Above:
    """What the cells above a test cell bind."""

    locked: set[str] = field(default_factory=set)
    answers: set[str] = field(default_factory=set)  # other than by imports
    imported: set[str] = field(default_factory=set)  # by cells that students can change
    other: dict[str, str] = field(default_factory=dict)  # by such cells that are not answers: which
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    has_star: bool = False  # whether a locked cell imports names that its text does not tell

    def add(self, cell: NotebookNode, name: str) -> None:
        """Add a cell; test cells leave no names to those below."""
        if cell.cell_type != "code" or is_test(cell):
            return
        bound, imported = {*bound_by(cell.source)}, {*imported_alone_by(cell.source)}
        self.functions |= _functions_in(tree_of(cell.source))
        if is_trusted(cell):
            self.locked |= bound
            self.has_star |= _has_star(cell.source)
            return
        self.imported |= imported
        if is_solution(cell):
            self.answers |= bound - imported
        else:
            self.other |= dict.fromkeys(bound - imported, name)


def wrong_in(source: str, above: Above) -> list[_Wrong]:
    """Return the mistakes in a test cell with `Checks`, which has to be Python, by line."""
    tree = ast.parse(source)
    opened = [_Opened(name, call, tree, above) for name, call in opened_in(tree).items()]
    mistakes = [*_unbound(source, tree, above, opened), *_without_score(source, tree)]
    mistakes += [*_hidden(source, tree), *(wrong for one in opened for wrong in one.mistakes())]
    return sorted(mistakes)


def unused_generators(file: Path, notebooks: Sequence[NotebookNode]) -> Iterator[str]:
    """Yield a sentence for each function of a homework's ``fresh.py`` that no test cell uses.

    One that begins with "_", or that others in the file use, is a helper.
    """
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (SyntaxError, ValueError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        yield f"{file}{where}: it is not valid Python ({error.args[0]})."
        return
    sources = [c.source for nb in notebooks for c in nb.cells if c.cell_type == "code"]
    calls = [call for source in sources for call in opened_in(tree_of(source)).values()]
    names = {_text(_argument(call, 0, "name")) for call in calls}
    if None in names:  # one is computed
        return
    for name, function in _functions_in(tree).items():
        others = {*ast.walk(tree)} - {*ast.walk(function)}
        is_used = any(isinstance(node, ast.Name) and node.id == name for node in others)
        if name not in names and not name.startswith("_") and not is_used:
            yield (
                f"{file}, line {function.lineno}: there is no Checks({name!r}), for which this "
                "function would draw cases. Give it the name of a `Checks`; the name of a helper "
                "begins with _."
            )


# -- names


def _unbound(
    source: str, tree: ast.Module, above: Above, opened: Sequence["_Opened"]
) -> Iterator[_Wrong]:
    """Yield the names that a cell uses, and that students can change or that nothing binds."""
    released = as_released(source, "code")
    shown, own = {*read_by(released)}, {*bound_by(released)}
    hidden = {*bound_by(source)} - own
    asked = {name: line for one in opened for name, line in one.of_notebook()}
    uses = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    hidden_lines = _hidden_lines(source)
    uses.sort(key=lambda node: (node.lineno not in hidden_lines, -node.lineno))
    lines = {node.id: node.lineno for node in uses}  # the first one that students see
    for name in {*read_by(source), *asked} - own - above.locked - above.answers - _BUILTINS:
        line = lines.get(name, asked.get(name, 1))
        if name in hidden:
            if name in shown:
                yield line, f"students do not have {name!r}, which a hidden line binds."
        elif name in above.imported:
            yield (
                line,
                f"{name!r} is imported by a cell that students can change. Import it in this cell, "
                "or in a locked cell above.",
            )
        elif name in above.other:
            yield (
                line,
                f"{name!r} is bound by cell {above.other[name]}, which students can change and "
                "which is not an answer. Lock that cell, or bind the name in this one.",
            )
        elif not above.has_star and not _has_star(source):
            yield (
                line,
                f"{name!r} is bound neither in this cell nor in an answer or a locked cell above. "
                "Correct the name, or define or import it in this cell.",
            )


def _without_score(source: str, tree: ast.Module) -> Iterator[_Wrong]:
    """Yield the last line of a cell, if it is not the score."""
    scores = {f"{name}.score()" for name in opened_in(tree)}
    last = ast.unparse(tree.body[-1]) if tree.body else ""
    if last not in scores or _SEMICOLON.search(source):
        found = quoted(source.rstrip().rpartition("\n")[2])
        yield (
            tree.body[-1].lineno if tree.body else 1,
            f"the last line has to be {min(scores, default='checks.score()')}, which gives the "
            f"cell its points, found {found}. Otherwise every answer would get full marks.",
        )


# -- hidden lines


def _hidden(source: str, tree: ast.Module) -> Iterator[_Wrong]:
    """Yield hidden lines that are more than fresh cases, and visible ones that draw some."""
    draws = {f"{name}.fresh" for name in opened_in(tree)}
    lines, hidden = source.splitlines(), _hidden_lines(source)
    for one in tree.body:
        first = min(node.lineno for node in (one, *getattr(one, "decorator_list", ())))
        inside = hidden & {*range(first, (one.end_lineno or first) + 1)}
        if inside and (first not in hidden or not _is_for_drawing(one, draws)):
            yield (
                min(inside),
                f"the hidden line {quoted(lines[min(inside) - 1].strip())} is not allowed, because "
                "students see every part. Hidden lines may import, define functions and call "
                "checks.fresh(...).",
            )
    for node in ast.walk(tree):
        is_drawing = isinstance(node, ast.Attribute) and ast.unparse(node) in draws
        if is_drawing and (line := getattr(node, "lineno", 0)) not in hidden:
            yield (
                line,
                f"students would read {quoted(lines[line - 1].strip())}. Put it between BEGIN "
                "HIDDEN TESTS and END HIDDEN TESTS.",
            )


def _hidden_lines(source: str) -> set[int]:
    """Return the numbers of the lines between the two that hide them."""
    found, is_hidden = set(), False
    for number, line in enumerate(source.splitlines(), 1):
        is_hidden = is_hidden and "END HIDDEN TESTS" not in line
        found |= {number} if is_hidden else set()
        is_hidden = is_hidden or "BEGIN HIDDEN TESTS" in line
    return found


def _is_for_drawing(statement: ast.stmt, draws: Collection[str]) -> bool:
    """Whether a statement imports, defines a function, or asks for fresh cases."""
    match statement:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.FunctionDef():
            decorators = [getattr(one, "func", one) for one in statement.decorator_list]
            return {*map(ast.unparse, decorators)} <= {*draws}
        case ast.Expr(value=ast.Call(func=called)):
            return ast.unparse(called) in draws
    return False


# -- one `Checks`


@dataclass(frozen=True)
class _Opened:
    """A `Checks` that a cell opens, and the name that it has there."""

    variable: str
    call: ast.Call
    tree: ast.Module
    above: Above

    def of_notebook(self) -> Iterator[tuple[str, int]]:
        """Yield the names that its texts ask of the notebook, and their lines."""
        if self._calls_by_name and self._name:
            yield self._name, self.call.lineno
        for call in self._calls("shows"):
            yield from ((name, call.lineno) for name in _names(_argument(call, 2, "names")) or ())

    def mistakes(self) -> Iterator[_Wrong]:
        """Yield what does not fit together: function, inputs, returns, cases, parts, ranges."""
        if first := [*self._wrong_inputs(), *self._wrong_returns()]:
            yield from first  # the others may follow from it
            return
        yield from self._wrong_names_of_results()
        yield from self._wrong_ranges()
        yield from self._wrong_cases()
        yield from self._wrong_parts()

    # what its texts tell; None if they do not

    @cached_property
    def _name(self) -> str | None:
        return _text(_argument(self.call, 0, "name"))

    @cached_property
    def _calls_by_name(self) -> bool:
        """Whether its parts call the notebook's function of its name."""
        has_rows = any(self._calls("table")) or any(self._calls("untouched"))
        return has_rows and _keyword(self.call, "function") is None

    @cached_property
    def _function(self) -> _Function | None:
        """The function that its parts call."""
        if (given := _keyword(self.call, "function")) is None:
            return self.above.functions.get(self._name or "")
        if isinstance(given, ast.Lambda):
            return given
        return {**self.above.functions, **_functions_in(self.tree)}.get(ast.unparse(given))

    @cached_property
    def _inputs(self) -> tuple[list[str], int] | None:
        """The names of the inputs, and how many of them every case has."""
        given = _names(_keyword(self.call, "inputs"))
        if given or given is None:
            return (given, len(given)) if given else None
        names, least, most = _places(self._function) if self._function else ([], 0, inf)
        return (names, least) if most == len(names) else None

    @cached_property
    def _results(self) -> list[str] | None:
        return _names(_keyword(self.call, "returns"))

    @property
    def _called(self) -> str:
        return self._name if self._calls_by_name and self._name else "the function"

    def _calls(self, method: str) -> Iterator[ast.Call]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"{self.variable}.{method}":
                yield node

    # what does not fit

    def _wrong_inputs(self) -> Iterator[_Wrong]:
        given = _names(_keyword(self.call, "inputs"))
        if not given or not self._function:
            return
        names, least, most = _places(self._function)
        fits = least <= len(given) <= most
        if not fits or (self._calls_by_name and given[: len(names)] != names[: len(given)]):
            yield (
                self.call.lineno,
                f"`inputs` names {_listed(given)}, but the arguments of {self._called} are "
                f"{_listed(names)}. Leave `inputs` out: they are read from the function.",
            )

    def _wrong_returns(self) -> Iterator[_Wrong]:
        if not self._results or not self._function:
            return
        counts = {*_returned(self._function)} - {len(self._results)}
        for count in sorted(counts)[:1]:
            yield (
                self.call.lineno,
                f"`returns` names {len(self._results)} ({_listed(self._results)}), but "
                f"{self._called} returns {count} results. Name each of them.",
            )

    def _wrong_names_of_results(self) -> Iterator[_Wrong]:
        if self._results is None:
            return
        known = f"one of {_listed(self._results)}" if self._results else "a name in `returns`"
        for call in self._calls("table"):
            for name in _names(_argument(call, 2, "compare")) or ():
                if name not in self._results:
                    yield (
                        call.lineno,
                        f"{name!r} is not a result of {self._called}: expected {known}.",
                    )

    def _wrong_ranges(self) -> Iterator[_Wrong]:
        if self._inputs is None:
            return
        names, _ = self._inputs
        for one in (keyword for call in self._calls("fresh") for keyword in call.keywords):
            if one.arg and one.arg not in names:
                known = _listed(names)
                said = (
                    f"{one.arg!r} is not an argument of {self._called}: expected some of {known}."
                )
                yield one.value.lineno, said

    def _wrong_cases(self) -> Iterator[_Wrong]:
        """Yield the cases whose number of values does not fit the inputs and the results.

        Results at the end that no table compares may be missing.
        """
        needed: dict[ast.expr, int] = {}  # how many results, by the list of cases
        for call in (*self._calls("table"), *self._calls("untouched")):
            is_table = ast.unparse(call.func).endswith("table")
            compared = _names(_argument(call, 2, "compare")) if is_table else []
            if compared is not None and (cases := self._cases_of(call)):
                places = [n for n, one in enumerate(self._results or (), 1) if one in compared]
                needed[cases] = max(needed.get(cases, 0), *places, 0)
        for cases, least in needed.items():
            yield from self._wrong_in_cases(cases, least)

    def _wrong_in_cases(self, cases: ast.expr, needed: int) -> Iterator[_Wrong]:
        if self._inputs is None or self._results is None:
            return
        (inputs, least), results = self._inputs, self._results
        expected = f"the inputs ({_listed(inputs)}) and the results ({_listed(results)})"
        for number, case in enumerate(self._entries(cases), 1):
            count = _count(case)
            every = count is not None and needed <= count - len(inputs) <= len(results)
            some = count is not None and least <= count - len(results) <= len(inputs)
            if isinstance(case, ast.List | ast.Constant):
                found = quoted(ast.unparse(case))
                yield case.lineno, f"case {number} is {found}, expected a tuple such as ([1.0], 2)."
            elif count is not None and not every and not some:
                yield case.lineno, f"case {number} has {_counted(count)}, expected {expected}."

    def _wrong_parts(self) -> Iterator[_Wrong]:
        """Yield the functions of parts that their cases do not fit."""
        parts = {*self._calls("part")}
        functions = [one for one in self.tree.body if isinstance(one, ast.FunctionDef)]
        for one, call in ((f, call) for f in functions for call in f.decorator_list):
            if not isinstance(call, ast.Call) or call not in parts:
                continue
            names, least, most = _places(one)
            counts = map(_count, self._entries(self._cases_of(call)))
            wrong = {count for count in counts if count is not None and not least <= count <= most}
            if wrong:
                taken, once = _listed(names), ""
                if not names:
                    taken, once = "nothing", " To call it once, without a case, add cases=[()]."
                yield (
                    one.lineno,
                    f"the function of this part takes {taken}, but a case has "
                    f"{_counted(min(wrong))}.{once}",
                )

    def _cases_of(self, part: ast.Call) -> ast.expr | None:
        """Return the list of a part's cases, its own or those of all; None if it has none."""
        own = _keyword(part, "cases")
        return _keyword(self.call, "cases") if own is None else own

    def _entries(self, cases: ast.expr | None) -> list[ast.expr]:
        """Return the cases of a list that the text gives; none if they are computed."""
        match cases:
            case ast.List(elts=entries) | ast.Tuple(elts=entries):
                return entries
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return [*self._entries(left), *self._entries(right)]
            case ast.Name(id=name):
                bound = [one for one in self.tree.body if isinstance(one, ast.Assign)]
                values = [one.value for one in bound if name in map(ast.unparse, one.targets)]
                return self._entries(values[0]) if len(values) == 1 else []
        return []


# -- pieces of code


def _functions_in(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}


def _has_star(source: str) -> bool:
    imports = [node for node in ast.walk(tree_of(source)) if isinstance(node, ast.ImportFrom)]
    return any(alias.name == "*" for node in imports for alias in node.names)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return an argument that is given by name; None if there is none, or if it is None."""
    for one in call.keywords:
        if one.arg == name and ast.unparse(one.value) != "None":
            return one.value
    return None


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    """Return an argument that is given by place or by name; None if there is none."""
    return call.args[place] if place < len(call.args) else _keyword(call, name)


def _text(value: ast.expr | None) -> str | None:
    text = value.value if isinstance(value, ast.Constant) else None
    return text if isinstance(text, str) else None


def _names(value: ast.expr | None) -> list[str] | None:
    """Return the names in a text such as "w, loss"; none without a text; None if it is computed."""
    text = "" if value is None else _text(value)
    return None if text is None else text.split(", ") if text else []


def _places(function: _Function) -> tuple[list[str], int, float]:
    """Return the names of the arguments by place, how many are needed, and how many it takes."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    most = inf if function.args.vararg else len(names)
    return names, len(names) - len(function.args.defaults), most


def _returned(function: _Function) -> list[int]:
    """Return how many results each `return` gives, of those whose text tells it by a tuple."""
    if isinstance(function, ast.Lambda):
        values: list[ast.expr | None] = [function.body]
    else:
        inner = {n for n in ast.walk(function) if isinstance(n, _Function)} - {function}
        own = {*ast.walk(function)} - {node for one in inner for node in ast.walk(one)}
        values = [node.value for node in own if isinstance(node, ast.Return)]
    counts = [_count(value) for value in values]
    return [count for count in counts if count is not None]


def _count(value: ast.expr | None) -> int | None:
    """Return the number of entries of a tuple; None if it is none, or the text does not tell."""
    if isinstance(value, ast.Tuple) and not any(isinstance(e, ast.Starred) for e in value.elts):
        return len(value.elts)
    return None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _counted(count: int) -> str:
    return f"{count} value{'' if count == 1 else 's'}"
