"""Each test asserts something also if what it loops over were empty."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
Function = ast.FunctionDef | ast.AsyncFunctionDef
# What gives as many values as its first argument, or as the text before its dot, has.
AS_MANY = {"enumerate", "items", "keys", "list", "reversed", "sorted", "values", "zip", "split"}


class Filled:
    """Which expressions of a test have at least one value, as far as its text tells."""

    def __init__(self, test: Function) -> None:
        self._names = {
            target.id
            for node in ast.walk(test)
            if isinstance(node, ast.Assign) and self.has(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def has(self, values: ast.expr) -> bool:
        """Whether there is something to loop over."""
        match values:
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                return bool(items)
            case ast.Dict(keys=items) | ast.JoinedStr(values=items):
                return bool(items)
            case ast.Constant(value=str() as text):
                return bool(text)
            case ast.Attribute(attr=name):
                return name.isupper()
            case ast.Name(id=name):
                return name.isupper() or name in getattr(self, "_names", ())
            case ast.Call(func=ast.Name(id="range")):
                return True
            case ast.Call(func=ast.Name(id=name), args=[first, *_]):
                return name in AS_MANY and self.has(first)
            case ast.Call(func=ast.Attribute(value=before, attr=name)):
                return name in AS_MANY and self.has(before)
            case ast.BinOp(left=left, right=right):
                return self.has(left) or self.has(right)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
                return all(self.has(g.iter) and not g.ifs for g in values.generators)
        return False


def asserts(test: Function) -> Iterator[tuple[ast.Assert, bool]]:
    """Yield the asserts of a test, and whether each is carried out whatever the values are."""
    filled = Filled(test)

    def within(node: ast.AST, certain: bool) -> Iterator[tuple[ast.Assert, bool]]:
        for inner in ast.iter_child_nodes(node):
            here = certain and not (isinstance(inner, ast.For) and not filled.has(inner.iter))
            match inner:
                case ast.Assert(test=ast.Call(func=ast.Name(id="all"), args=[made])):
                    yield inner, here and filled.has(made)
                case ast.Assert():
                    yield inner, here
            yield from within(inner, here)

    return within(test, True)


def silent(source: str) -> list[str]:
    """The tests of a module that assert only in loops over what may be empty."""
    tests = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, Function) and node.name.startswith("test_")
    ]
    found = {test.name: [certain for _, certain in asserts(test)] for test in tests}
    return [name for name, certain in found.items() if certain and not any(certain)]


def test_no_test_asserts_only_in_loops_over_what_may_be_empty():
    paths = [path for path in TESTS.rglob("test_*.py") if "node_modules" not in path.parts]
    assert len(paths) > 100
    found = {str(path): silent(path.read_text(encoding="utf-8")) for path in paths}
    assert {path: names for path, names in found.items() if names} == {}


def test_a_silent_test_is_noticed():
    loops = "def test_a(x):\n    for one in {}:\n        assert one\n"
    assert silent(loops.format("x.cells")) == ["test_a"]
    assert silent(loops.format("sorted(x)")) == ["test_a"]
    assert silent(loops.format("x if x else ()") + "    assert x\n") == []
    assert silent("def test_a(x):\n    assert all(one for one in x)\n") == ["test_a"]
    for values in ("(1, 2)", "'a b'.split()", "CELLS.items()", "range(3)", "[f(n) for n in (1,)]"):
        assert silent(loops.format(values)) == []
    assert silent("def test_a():\n    y = [1]\n    for one in y:\n        assert one\n") == []
