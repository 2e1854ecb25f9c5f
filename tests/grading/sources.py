"""What a verdict depends on: source text as it is run, and the modules that it imports.

Two texts that differ only in comments, docstrings or layout count as equal, because they do the
same. A digest is the same in every version of Python, since it is committed with the pages.
"""

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from settings import ROOT

# The folders of first-party modules; those of this folder are imported by their bare names.
PACKAGES = ("hw_support", "hw_grading", "staff")
HERE = Path(__file__).resolve().parent
_WITH_DOCSTRING = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def digest(*things: object) -> str:
    """Return a digest of things whose `repr` describes them completely (hexadecimal)."""
    return hashlib.sha256(repr(things).encode()).hexdigest()


@functools.cache
def as_run(source: str) -> str:
    """Return what a source does, in a form without comments, docstrings and layout.

    A source with a syntax error is returned as it is.
    """
    try:
        return _plain(ast.parse(source))
    except SyntaxError:
        return source


def _plain(thing: object) -> str:
    """Return a syntax tree as text, without empty fields, which newer versions of Python add.

    >>> _plain(ast.parse("x"))
    'Module(body=[Expr(value=Name(id=x))])'
    """
    if isinstance(thing, list):
        return "[" + ", ".join(map(_plain, thing)) + "]"
    if not isinstance(thing, ast.AST):
        return thing if isinstance(thing, str) else repr(thing)
    if isinstance(thing, ast.Constant):
        return repr(thing.value)
    inner = []
    for name, value in ast.iter_fields(thing):
        if name == "body" and isinstance(thing, _WITH_DOCSTRING) and _has_docstring(thing):
            value = value[1:]
        if name not in ("ctx", "kind", "type_comment") and value not in (None, []):
            inner.append(f"{name}={_plain(value)}")
    return f"{type(thing).__name__}({', '.join(inner)})"


def _has_docstring(node: ast.AST) -> bool:
    return ast.get_docstring(node, clean=False) is not None  # type: ignore[arg-type]


def without_points(source: str) -> tuple[str, dict[str, float]]:
    """Return what a test cell does apart from the points of its parts, and the points.

    Parts are ``checks("name", points=2)`` and ``checks.tries("name", points=2)``. Where a name or
    its points are not plain constants, or two parts have one name, the points stay in the text and
    the dict is empty.
    """
    tree = ast.parse(source)
    worth: dict[str, float] = {}
    for node in ast.walk(tree):
        kind = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if not isinstance(node, ast.Call) or kind not in ("checks", "checks.tries", "Checks"):
            continue
        points = next((k.value for k in node.keywords if k.arg == "points"), None)
        name = node.args[0] if node.args else None
        if not (isinstance(points, ast.Constant) and isinstance(name, ast.Constant)):
            return as_run(source), {}
        if kind != "Checks":
            if name.value in worth:
                return as_run(source), {}
            worth[str(name.value)] = float(str(points.value))
        points.value = 0
    return (_plain(tree), worth) if worth else (as_run(source), {})


# -- modules


@functools.cache
def modules_of(
    source: str, package: str = "", *, apart_from: frozenset[Path] = frozenset()
) -> frozenset[Path]:
    """Return the first-party modules that a source imports, and those that they import in turn.

    Parameters
    ----------
    source
        Of a cell or a module.
    package
        The package it lies in, for relative imports: "hw_grading.inside".
    apart_from
        Modules that are left out, and those that only they import.

    Notes
    -----
    ``from hw_support import expect`` means the module that defines `expect`, and nothing else that
    the package's ``__init__`` imports.
    """
    found: set[Path] = set()
    waiting = list(_imported(source, package))
    while waiting:
        path = waiting.pop()
        if path not in found | apart_from:
            found.add(path)
            waiting += _imported(path.read_text(encoding="utf-8"), package_of(path))
    return frozenset(found)


def package_of(path: Path) -> str:
    """Return the package that a module lies in."""
    return ".".join(path.parent.relative_to(ROOT).parts)


def _imported(source: str, package: str) -> Iterator[Path]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            for alias in node.names:
                yield from _defining(base, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _defining(*alias.name.rpartition(".")[::2])
        elif (  # hw_support.progress, in whichever cell hw_support is imported
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in PACKAGES
        ):
            yield from _defining(node.value.id, node.attr)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parents, *([node.module] if node.module else [])])


def _defining(base: str, name: str) -> Iterable[Path]:
    """Return the file of `base.name`, a module or package, or of `base`, or what defines `name`."""
    parts = [*base.split("."), name] if base else [name]
    if parts[0] not in PACKAGES:
        file = HERE / f"{parts[0]}.py"
        return [file] if file.is_file() else []
    for path in (ROOT.joinpath(*parts), ROOT.joinpath(*parts[:-1])):
        if path.with_suffix(".py").is_file():
            return [path.with_suffix(".py")]
    package = ROOT.joinpath(*parts, "__init__.py")
    if base and package.is_file():
        return [package]
    start = ROOT.joinpath(*parts[:-1], "__init__.py")
    if len(parts) < 2 or not start.is_file():
        return []
    for node in ast.parse(start.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if name == (alias.asname or alias.name):
                    return _defining(_absolute(node, base), alias.name)
    return [start]


def digest_of_files(paths: Iterable[Path]) -> str:
    """Return a digest of what modules do, by their names."""
    return digest([(str(path.relative_to(ROOT)), _digest_of_file(path)) for path in sorted(paths)])


@functools.cache
def _digest_of_file(path: Path) -> str:
    return digest(as_run(path.read_text(encoding="utf-8")))
