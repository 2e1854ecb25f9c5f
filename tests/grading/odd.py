"""Odd answers: they return a value of the wrong kind, or nothing.

Most call the instructor's function, and change its arguments or its result. So every function has
the same set of odd answers, and each answer has only one mistake.
"""

from dataclasses import dataclass

from answers import Answer
from cells import Notebook


@dataclass(frozen=True)
class Oddity:
    """A way of being odd.

    Attributes
    ----------
    name : str
        What the function does.
    source : str
        Code in which FUNCTION is the function's name; it comes below the instructor's answer,
        which is called RIGHT there. ``each(change, result)`` changes every array of a result (of
        a pair of result and cache only the first, since the cache is the student's own business).
    words : tuple of str
        One of these words is in the message of some part.
    partly_right : bool
        Parts that do not look at what is odd, such as shapes, may pass.
    as_an_array : tuple of str
        Words where one array is due: there the result could be one, of another shape or kind. So
        parts that only look at the arguments may pass.
    """

    name: str
    source: str
    words: tuple[str, ...]
    partly_right: bool = False
    as_an_array: tuple[str, ...] = ()


_BEGIN = """
RIGHT = FUNCTION

def each(change, result):
    if RETURNS_CACHE:
        return change(result[0]), result[1]
    if isinstance(result, (list, tuple)):
        return type(result)(each(change, one) for one in result)
    return change(np.asarray(result, dtype=float))

"""

ODDITIES = (
    Oddity("is missing", "del FUNCTION", ("not defined", "NameError")),
    Oddity("is a number", "FUNCTION = 3", ("not callable", "TypeError")),
    Oddity("is None", "FUNCTION = None", ("not callable", "TypeError")),
    Oddity("takes no arguments", "FUNCTION = lambda: 0", ("argument", "TypeError")),
    Oddity("returns None", "FUNCTION = lambda *_: None", ("None",)),
    Oddity(
        "returns a number",
        "FUNCTION = lambda *_: 0.5",
        ("float", "0.5 everywhere"),
        as_an_array=("shape", "0.5"),
    ),
    Oddity("returns a string", "FUNCTION = lambda *_: 'nan'", ("str", "unpack")),
    Oddity(
        "returns a pair of strings",
        "FUNCTION = lambda *a: each(lambda array: 'out', RIGHT(*a))",
        ("str",),
        partly_right=True,
    ),
    Oddity(
        "returns a pair of None",
        "FUNCTION = lambda *a: (None, None)",
        ("None",),
        as_an_array=("object",),
    ),
    Oddity(
        "returns generators of rows",
        "FUNCTION = lambda *a: each(lambda array: (row for row in array), RIGHT(*a))",
        ("generator",),
        partly_right=True,
    ),
    Oddity(
        "returns generators without an end",
        "import itertools\nFUNCTION = lambda *a: (itertools.count(), itertools.count())",
        ("count", "at least"),  # that it has more entries than were due, say
        partly_right=True,  # a forward pass may return any cache
        as_an_array=("object",),
    ),
    Oddity(
        "returns itself",
        "FUNCTION = lambda *_: (FUNCTION, FUNCTION)",
        ("function",),
        partly_right=True,
        as_an_array=("object",),
    ),
    Oddity(
        "returns NaN",
        "FUNCTION = lambda *a: each(lambda array: array * np.nan, RIGHT(*a))",
        ("nan", "NaN", "finite"),
        partly_right=True,
    ),
    Oddity(
        "returns infinities",
        "FUNCTION = lambda *a: each(lambda array: np.full_like(array, np.inf), RIGHT(*a))",
        ("inf", "finite"),
        partly_right=True,
    ),
    Oddity(
        "returns arrays of objects",
        "def odd(array):\n"
        "    out = np.empty(array.shape, dtype=object)\n"
        "    out[...] = 'x'\n"
        "    return out\n"
        "FUNCTION = lambda *a: each(odd, RIGHT(*a))",
        ("object",),
        partly_right=True,
    ),
    Oddity(
        "returns complex numbers",
        "FUNCTION = lambda *a: each(lambda array: array + 1j, RIGHT(*a))",
        ("complex",),
        partly_right=True,
    ),
    Oddity(
        "returns dates",
        "FUNCTION = lambda *a: each(lambda array: array.astype('datetime64[s]'), RIGHT(*a))",
        ("datetime",),
        partly_right=True,
    ),
    Oddity(
        "returns arrays that claim to equal everything",
        "class Yes(np.ndarray):\n"
        "    def __eq__(self, other): return np.ones(self.shape, bool)\n"
        "    def __ne__(self, other): return np.zeros(self.shape, bool)\n"
        "    def __sub__(self, other): return np.zeros(self.shape)\n"
        "    def __rsub__(self, other): return np.zeros(self.shape)\n"
        "    def __array_ufunc__(self, ufunc, method, *inputs, **options): return np.True_\n"
        "    def __array_function__(self, f, types, args, options): return np.True_\n"
        "    def all(self, *a, **b): return np.True_\n"
        "FUNCTION = lambda *a: each(lambda array: (array * 0 + 7).view(Yes), RIGHT(*a))",
        ("7", "wrong values", "standard deviation", "mean", "come back"),
        partly_right=True,
    ),
    Oddity(
        "returns objects that claim to be anything",
        "class Any:\n"
        "    def __getattr__(self, name): return Any()\n"
        "    def __eq__(self, other): return True\n"
        "    def __call__(self, *a, **b): return Any()\n"
        "    def __iter__(self): return iter([Any(), Any()])\n"
        "    def __len__(self): return 2\n"
        "    def __getitem__(self, i): return Any()\n"
        "    def __bool__(self): return True\n"
        "    def __float__(self): return 0.5\n"
        "FUNCTION = lambda *a: Any()",
        ("function", "Any", "object", "array", "pair"),
        partly_right=True,
    ),
    Oddity(
        "returns arrays of another shape",
        "FUNCTION = lambda *a: each(lambda array: array[None, None], RIGHT(*a))",
        ("shape",),
        partly_right=True,
    ),
    Oddity(
        "returns empty arrays",
        "FUNCTION = lambda *a: each(lambda array: array[:0], RIGHT(*a))",
        ("shape",),
        partly_right=True,
    ),
    Oddity(
        "returns ragged lists",
        "FUNCTION = lambda *a: each(lambda array: [[1.0, 2.0], [3.0]], RIGHT(*a))",
        ("cannot be converted to an array", "ragged"),
        partly_right=True,
    ),
    Oddity(
        "returns arrays that are huge and hardly there",
        "FUNCTION = lambda *a: each(lambda array: np.broadcast_to(1.0, (9**9, 9**9)), RIGHT(*a))",
        ("shape",),
        partly_right=True,
    ),
    Oddity("raises ValueError", "def FUNCTION(*_):\n    raise ValueError('odd')", ("ValueError",)),
    Oddity("raises SystemExit", "def FUNCTION(*_):\n    raise SystemExit(0)", ("SystemExit",)),
    Oddity("calls sys.exit", "import sys\nFUNCTION = lambda *_: sys.exit(0)", ("SystemExit",)),
    Oddity(
        "raises a BaseException",
        "class Odd(BaseException): pass\ndef FUNCTION(*_):\n    raise Odd",
        ("Odd",),
    ),
    Oddity(
        "raises an exception that cannot be printed",
        "class Mute(Exception):\n"
        "    def __str__(self): raise self\n"
        "    __repr__ = __str__\n"
        "def FUNCTION(*_):\n    raise Mute",
        ("Mute",),
    ),
    Oddity("raises StopIteration", "def FUNCTION(*_):\n    raise StopIteration", ("StopIter",)),
    Oddity("raises GeneratorExit", "def FUNCTION(*_):\n    raise GeneratorExit", ("GeneratorEx",)),
    Oddity("calls itself for ever", "def FUNCTION(*a):\n    return FUNCTION(*a)", ("Recursion",)),
    Oddity("fails an assertion", "def FUNCTION(*_):\n    assert not 'odd'", ("AssertionError",)),
)

# What these change is not their result: they get part of the points.
MUTATES = Oddity(
    "writes into its arguments",
    "def FUNCTION(*arguments):\n"
    "    result = RIGHT(*arguments)\n"
    "    for argument in arguments:\n"
    "        for array in argument if isinstance(argument, list) else [argument]:\n"
    "            if isinstance(array, np.ndarray) and array.flags.writeable:\n"
    "                result = each(np.copy, result)\n"
    "                array += array.dtype.type(1)\n"
    "    return result",
    ("after the call", "changed", "left"),
)
_HANGS = ("endless loop", "is not called again: it did not return within the time limit")
NEVER_RETURNS = (
    Oddity("loops for ever", "def FUNCTION(*_):\n    while True: pass", _HANGS),
    Oddity(
        "loops for ever and catches every exception",
        "def FUNCTION(*_):\n"
        "    while True:\n"
        "        try:\n"
        "            while True: pass\n"
        "        except Exception: pass",
        _HANGS,
    ),
)


def odd_answer(notebook: Notebook, function: str, oddity: Oddity) -> Answer:
    """Return the answer to `function` that is odd in this way."""
    source = notebook.cells[function].source + _BEGIN + oddity.source
    source = source.replace("RETURNS_CACHE", str(function in notebook.settings.caches))
    source = source.replace("FUNCTION", function).replace("RIGHT", f"right_{function}")
    return Answer(function, oddity.name, source)
