"""Each test asserts something also if what it loops over were empty."""

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
# What gives as many values as its first argument, or as the value before its dot, has.
AS_MANY = {"enumerate", "items", "keys", "list", "reversed", "sorted", "values", "zip", "split"}


def is_filled(values: ast.AST, names: Collection[str] = ()) -> bool:
    """Whether the text of an expression, with these filled names, shows that it has values."""
    match values:
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            return bool(items)
        case ast.Dict(keys=items) | ast.Constant(value=str() as items):
            return bool(items)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.isupper() or name in names
        case ast.Call(func=ast.Name(id=name), args=[first, *_]):
            return name == "range" or (name in AS_MANY and is_filled(first, names))
        case ast.Call(func=ast.Attribute(value=first, attr=name)):
            return name in AS_MANY and is_filled(first, names)
        case ast.BinOp(left=first):
            return is_filled(first, names)
        case ast.ListComp(generators=[loop]) | ast.GeneratorExp(generators=[loop]):
            return not loop.ifs and is_filled(loop.iter, names)
    return False


def certain(node: ast.AST, names: Collection[str]) -> Iterator[ast.Assert]:
    """Yield the asserts that are carried out whatever the values are."""
    for inner in ast.iter_child_nodes(node):
        match inner:
            case ast.For(iter=values) if not is_filled(values, names):
                pass
            case ast.Assert(test=ast.Call(func=ast.Name(id="all"), args=[made])):
                yield from [inner] if is_filled(made, names) else []
            case ast.Assert():
                yield inner
            case _:
                yield from certain(inner, names)


def silent(source: str) -> list[str]:
    """The tests of a module that assert only in loops over what may be empty."""
    found = []
    for test in ast.walk(ast.parse(source)):
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            inner = list(ast.walk(test))
            made = [one for one in inner if isinstance(one, ast.Assign) and is_filled(one.value)]
            names = {ast.unparse(target) for one in made for target in one.targets}
            if any(isinstance(one, ast.Assert) for one in inner) and not [*certain(test, names)]:
                found.append(test.name)
    return found


def test_no_test_asserts_only_in_loops_over_what_may_be_empty():
    paths = [path for path in TESTS.rglob("test_*.py") if "node_modules" not in path.parts]
    assert len(paths) > 100
    found = {str(path): silent(path.read_text(encoding="utf-8")) for path in paths}
    assert {path: names for path, names in found.items() if names} == {}


def test_a_silent_test_is_noticed():
    loops = "def test_a(x):\n    for one in {}:\n        assert one\n"
    assert silent(loops.format("sorted(x.cells)")) == ["test_a"]
    assert silent(loops.format("x if x else ()") + "    assert x\n") == []
    assert silent("def test_a(x):\n    assert all(one for one in x)\n") == ["test_a"]
    for values in ("(1, 2)", "'a b'.split()", "CELLS.items()", "range(3)", "[f(n) for n in (1,)]"):
        assert silent(loops.format(values)) == []
