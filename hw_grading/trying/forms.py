"""Right answers in other forms, and answers without knowledge, made from a solution.

Each is the solution with code below it that wraps the functions that a test calls; or, for keyword
calls, the solution that calls other functions by the names of their arguments.
"""

import ast
import inspect
from collections.abc import Collection, Iterable, Mapping, Sequence

from hw_support.source import parsed, tree_of

_IN_FORM = """

def _in_form(value):
    import numpy as np
{body}
    if type(value) in (list, tuple):
        return type(value)(_in_form(entry) for entry in value)
    if type(value) is dict:
        return {{key: _in_form(entry) for key, entry in value.items()}}
    return value

"""
_FORMED = """

def _formed(right):
    return lambda *arguments: _in_form(right(*arguments))


{name} = _formed({name})
"""
_LOOKED_UP = """

def _looked_up(right, seen):
    import copy
    known = {{}}

    def looked_up(*arguments):
        key = key_of(arguments)
        if key not in seen:
            raise LookupError("no visible case has these inputs")
        if key not in known:  # a table has one result, also of a random function
            known[key] = right(*arguments)
        return copy.deepcopy(known[key])

    return looked_up


{name} = _looked_up({name}, {seen!r})
"""

# By name: what changes a value, and the kinds of results that it changes; none: it does more.
FORMS: dict[str, tuple[str, frozenset[str]]] = {
    "a list in the place of an array": (
        "    if isinstance(value, np.ndarray):\n        return value.tolist()",
        frozenset({"array"}),
    ),
    "a tuple in the place of a list, a list in that of a tuple": (
        "    if type(value) in (list, tuple):\n"
        "        other = list if type(value) is tuple else tuple\n"
        "        return other(_in_form(entry) for entry in value)",
        frozenset({"list", "tuple"}),
    ),
    "float32": (
        "    if isinstance(value, np.ndarray) and value.dtype == float:\n"
        "        return value.astype(np.float32)\n"
        "    if type(value) is float:\n        return np.float32(value)",
        frozenset({"float array", "float"}),
    ),
    "a column (n, 1) for (n,)": (
        "    if isinstance(value, np.ndarray) and value.ndim == 1:\n        return value[:, None]",
        frozenset({"flat array"}),
    ),
    "a NumPy scalar for a number": (
        "    if type(value) in (float, int):\n        return np.asarray(value)[()]",
        frozenset({"float", "int"}),
    ),
    "a copy": (
        "    if isinstance(value, np.ndarray):\n        return value.copy()",
        frozenset({"array"}),
    ),
    "prints and a warning": (
        "    import sys, warnings\n"
        '    print("printed", file=sys.stdout)\n'
        '    print("printed", file=sys.stderr)\n'
        '    warnings.warn("a warning", stacklevel=1)\n'
        "    return value",
        frozenset(),
    ),
    "other names of its arguments": ("    pass", frozenset()),
}
KEYWORDS = "calls by the names of arguments"
_NOISE = """    noise = np.random.default_rng()
    if isinstance(value, np.ndarray):
        return noise.normal(size=value.shape)
    if isinstance(value, (bool, np.bool_)):
        return bool(noise.integers(2))
    if isinstance(value, (int, float, np.number)):
        return float(noise.normal())
    if isinstance(value, str):
        return "noise\""""


def key_of(arguments: Sequence[object]) -> str:
    """Return a digest of the inputs of a call."""
    import hashlib  # here, because answers get the text of this function

    def plain(value: object) -> object:
        if hasattr(value, "tolist"):
            return value.tolist()
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        return "function" if callable(value) else repr(value)

    return hashlib.sha256(repr(plain(tuple(arguments))).encode()).hexdigest()[:16]


def in_form(source: str, form: str, function: str) -> str:
    """Return a solution whose function returns, or does, the same in another form."""
    body, _ = FORMS[form]
    return source + _IN_FORM.format(body=body) + _FORMED.format(name=function)


def forms_of(kinds: Collection[str]) -> list[str]:
    """Return the forms that change results of these kinds, and those that change none."""
    return [form for form, (_, those) in FORMS.items() if not those or those & {*kinds}]


def by_keywords(source: str, parameters: Mapping[str, list[str]]) -> str:
    """Return a solution that calls functions by the names of their arguments; "" if it calls none.

    `parameters` are the names of arguments, by function.
    """
    tree, has_changed = parsed(source), False
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            names = parameters.get(call.func.id, [])
            is_plain = not any(isinstance(one, ast.Starred) for one in call.args)
            if call.args and is_plain and len(call.args) <= len(names):
                named = zip(names, call.args, strict=False)
                call.keywords[:0] = [ast.keyword(name, value) for name, value in named]
                call.args, has_changed = [], True
    return ast.unparse(ast.fix_missing_locations(tree)) if has_changed else ""


def parameters_in(sources: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of arguments of the functions that cells define, by function."""
    found = {}
    for source in sources:
        for node in tree_of(source).body:
            if isinstance(node, ast.FunctionDef) and not node.args.posonlyargs:
                found[node.name] = [one.arg for one in node.args.args]
    return found


def noise(source: str, functions: Collection[str], values: Collection[str] = ()) -> str:
    """Return a solution with random numbers of the right shapes, as results and as values."""
    formed = "".join(_FORMED.format(name=name) for name in functions)
    bound = "\n".join(f"{name} = _in_form({name})" for name in values)
    return f"{source}{_IN_FORM.format(body=_NOISE)}{formed}{bound}\n"


def looked_up(source: str, seen: Mapping[str, Collection[str]]) -> str:
    """Return a solution whose functions know the results for inputs of visible cases alone.

    `seen` has the keys of these inputs, by function; see `key_of`.
    """
    made = f"{source}\n\nfrom collections.abc import Sequence\n\n{inspect.getsource(key_of)}"
    for name, keys in seen.items():
        made += _LOOKED_UP.format(name=name, seen=[*keys])
    return made
