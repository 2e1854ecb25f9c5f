"""Attacks by what functions return, raise and do: values that lie, errors that lie, callbacks.

A value that is no plain data stays in the kernel, where it can be asked for its entries, its length
or an array. What comes of that is plain data again, and is judged as such.
"""

from __future__ import annotations

from typing import Any

import pytest
from arena import NOTHING, POINTS, RIGHT, Arena, Outcome, notebook
from nbformat import NotebookNode

from hw_support.submission.problems import Kind

pytestmark = pytest.mark.slow

DONE = "print('d' + 'one')"
VISIBLE = {"test_double": 1.0, "test_mean": 1.0, "test_apply": 1.0, "test_total": 0.0}


def by_grade_id(nb: NotebookNode, grade_id: str) -> NotebookNode:
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def returning(value: str) -> dict[str, str]:
    """Return answers that are this value, whatever they are asked."""
    return {
        "double": f"def double(x):\n    return {value}",
        "mean": f"def mean(x):\n    return {value}",
        "apply": f"def apply(f, x):\n    return {value}",
        "total": f"total = {value}",
    }


def attack_with(arena: Arena, nb: NotebookNode, **options: Any) -> Outcome:
    """Grade a notebook that is more than answers, and expect what holds for every attack."""
    outcome = arena.grade(nb, **options)
    assert outcome.fault is None, outcome.fault
    arena.expect_no_harm(outcome)
    return outcome


LIARS = """
import array, collections, ctypes, decimal, enum, fractions, itertools, threading, types
import numpy as np

asked = []

class Equal:
    "Equal to everything, in every way in which that can be asked."
    def yes(self, *a, **k):
        asked.append("compared")
        return True
    __eq__ = __le__ = __ge__ = __bool__ = __contains__ = yes
    def no(self, *a, **k):
        return False
    __ne__ = __lt__ = __gt__ = no
    def same(self, *a, **k):
        return self
    __sub__ = __rsub__ = __abs__ = __add__ = __radd__ = __mul__ = __rmul__ = same
    __neg__ = __round__ = __call__ = __array_wrap__ = astype = reshape = ravel = all = any = same
    __hash__ = __int__ = lambda self: 6
    __float__ = lambda self: 6.0
    __repr__ = __str__ = lambda self: "6"

class EqualFloat(float):
    __eq__ = __le__ = __ge__ = Equal.yes
    __ne__ = __lt__ = __gt__ = Equal.no
    __sub__ = __rsub__ = __abs__ = lambda self, *a: 0.0
    __hash__ = None

class EqualInt(int):
    __eq__ = __le__ = __ge__ = Equal.yes
    __ne__ = __lt__ = __gt__ = Equal.no
    __hash__ = None

class EqualArray(np.ndarray):
    __eq__ = __le__ = __ge__ = Equal.yes
    __ne__ = __lt__ = __gt__ = Equal.no
    __len__ = lambda self: 2
    shape = property(lambda self: (2,))
    size = property(lambda self: 2)
    dtype = property(lambda self: np.dtype(float))
    all = any = Equal.yes
    def __array_ufunc__(self, ufunc, method, *inputs, **named):
        asked.append("ufunc")
        return np.True_
    def __array_function__(self, function, types, arguments, named):
        asked.append("function")
        return np.True_

class Functions:
    "Answers NumPy's functions itself."
    def __array_ufunc__(self, *a, **k):
        asked.append("ufunc")
        return np.True_
    def __array_function__(self, *a, **k):
        asked.append("function")
        return np.True_
    __array_priority__ = 1e9
    shape, ndim, size, dtype = (2,), 1, 2, np.dtype(float)

class Arrays:
    "Another array each time."
    def __array__(self, dtype=None, copy=None):
        asked.append("array")
        return np.full(len(asked), float(len(asked)))

class Interface:
    def __init__(self, **named):
        self.__array_interface__ = {"typestr": "<f8", "version": 3, **named}

class Pretends:
    "Calls itself an instance of another class."
    def __init__(self, kind):
        self.kind = kind
    __class__ = property(lambda self: self.kind)
    dtype, shape, nbytes, size = np.dtype(float), (), 8, 1
    __array__ = lambda self, *a, **k: np.zeros(7)
    __eq__ = Equal.yes
    __hash__ = None

class Everything:
    def __getattr__(self, name):
        asked.append(name)
        return self
    __call__ = lambda self, *a, **k: self

class Endless:
    def __iter__(self):
        while True:
            yield 6
class Nested:
    __len__ = lambda self: 2
    __getitem__ = lambda self, key: Nested()
class Length:
    def __init__(self, length):
        self.length = length
    __len__ = lambda self: self.length
    __getitem__ = lambda self, key: 6.0
class Bool:
    def __bool__(self):
        raise SystemExit("no")
class Changing:
    "Another value each time that it is looked at."
    count = itertools.count()
    __iter__ = lambda self: iter([next(self.count)] * (next(self.count) % 3))
    __len__ = lambda self: next(self.count)
    __getitem__ = lambda self, key: next(self.count)
    __array__ = lambda self, *a, **k: np.array(next(self.count))
class Six(enum.IntEnum):
    SIX = 6
class Items(dict):
    items = __iter__ = lambda self: itertools.repeat(("six", 6))
    __eq__ = Equal.yes
class Meta(type):
    __eq__ = lambda self, other: True
    __hash__ = type.__hash__
    __name__ = property(lambda self: "x" * 10**7)
class Odd(metaclass=Meta):
    pass

def deep(levels):
    inner = [6.0]
    for _ in range(levels):
        inner = [inner]
    return inner
def cyclic():
    inner = [6.0]
    inner.append(inner)
    return inner
def filled(value):
    made = np.empty(2, object)
    made[:] = [value, value]
    return made
def forever():
    while True:
        yield 6.0
def strided(shape, strides):
    return np.lib.stride_tricks.as_strided(np.zeros(2), shape, strides)
"""

VALUES = [
    # equal to everything; the first ones get most of the points where a test says `==`
    *("Equal()", "EqualFloat()", "EqualInt()", "Odd", "Odd()", "[Equal(), Equal()]"),
    *("np.zeros(2).view(EqualArray)", "np.zeros(()).view(EqualArray)", "Functions()", "Arrays()"),
    *("filled(Equal())", "filled(EqualFloat())", "Everything()", "types.SimpleNamespace(all=True)"),
    *("Pretends(np.ndarray)", "Pretends(np.float64)", "Pretends(float)", "Pretends(list)"),
    # no numbers, and too many
    *("np.nan", "np.inf", "[np.nan, np.nan]", "np.full(2, np.nan)", "np.full((6, 2), -np.inf)"),
    *("np.empty(0)", "np.empty((0, 2))", "np.empty((2, 0))", "np.array(np.nan)"),
    *("np.broadcast_to(6.0, 10**12)", "np.broadcast_to(6.0, (10**4,) * 3)"),
    *("strided((10**6, 10**6), (0, 0))", "np.ones((1,) * 60)", "np.zeros(5_000_000)"),
    *("10**1000", "10**100_000", "-(2**63)", "2**64", "6 + 0j", "[complex('nan')] * 2"),
    # other kinds
    *("'6'", "b'6'", "bytearray(b'6')", "memoryview(b'66')", "array.array('d', [6.0])"),
    *("np.array(['6', '6'])", "np.array([b'6'])", "np.array([6], 'M8[s]')", "np.void(b'6')"),
    *("np.array([(6.0, 6)], 'f8,i4')", "np.recarray(2, 'f8,i4')", "np.longdouble(5)"),
    *("np.ma.masked", "np.ma.masked_all(2)", "np.ma.array([7.0, 7.0], mask=True)"),
    *("np.matrix([0.0, 0.0])", "fractions.Fraction(6)", "decimal.Decimal(6)", "Six"),
    *("None", "Ellipsis", "NotImplemented", "True", "np.True_", "int", "print", "np", "range(2)"),
    *("{6.0}", "{2.0: 4.0}", "Items()", "collections.OrderedDict(a=6)", "ValueError('6')"),
    # endless, deep, changing
    *("forever()", "Endless()", "itertools.repeat(6.0)", "cyclic()", "deep(100_000)", "deep(40)"),
    *("Nested()", "Length(-1)", "Length(2**62)", "Length('6')", "Bool()", "Changing()"),
    *("[[1.0], [2.0, 3.0]]", "[2.0, [4.0]]", "[6.0] * 2_000_000", "[[]] * 20_000", "threading"),
]


@pytest.mark.parametrize("value", VALUES)
def test_an_odd_value_earns_nothing(arena: Arena, value: str) -> None:
    outcome = arena.attack(returning(value), before=LIARS, after=DONE)
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed or outcome.problems


@pytest.mark.parametrize("shape", ["(2,)", "(10**15,)", "(-1,)", "()"])
def test_an_array_in_memory_that_is_not_there_ends_the_kernel_at_most(
    arena: Arena, shape: str
) -> None:
    value = f"Interface(shape={shape}, data=(8, True))"
    outcome = arena.attack(returning(value), before=LIARS + "\nprint('armed')")
    assert outcome.scores == NOTHING
    assert "armed" in outcome.printed


@pytest.mark.parametrize(
    "value",
    [
        *("np.ones((1,) * 60)", "np.empty((0, 2**33))", "[np.empty((0, 2**33))]", "deep(40)"),
        *("[6.0] * 2_000_000", "10**9000", "np.zeros(9_000_000)", "{1: 'x' * 2_000_000}"),
        *("[[]] * 20_000", "np.broadcast_to(6.0, 10**12)", "[np.ones((1,) * 60)]"),
    ],
)
def test_a_value_that_cannot_travel_costs_the_points_of_its_function_only(
    arena: Arena, value: str
) -> None:
    answers = {**RIGHT, "double": f"def double(x):\n    return {value}"}
    outcome = arena.attack(answers, before=LIARS, after=DONE)
    assert outcome.scores == {**POINTS, "test_double": 0.0}
    assert "done" in outcome.printed


_STYLES = [
    *("assert got == 6", "assert not got != 6", "assert 6 == got", "assert got in (6, 7)"),
    *("assert 6 <= got <= 6", "assert not (got < 6 or got > 6)", "assert abs(got - 6) < 1e-9"),
    *("assert float(got) == 6.0", "assert int(got) == 6", "assert round(got) == 6"),
    *("assert str(got) == '6'", "assert repr(got) == '6'", "assert f'{got}' == '6'"),
    *(
        "assert hash(got) == hash(6)",
        "assert {6: True}[got]",
        "assert isinstance(got, (int, float))",
    ),
    *("assert np.isclose(got, 6)", "assert np.allclose(got, 6)", "assert np.all(got == 6)"),
    *("assert np.array_equal(got, 6)", "np.testing.assert_allclose(got, 6)"),
    *("np.testing.assert_equal(got, 6)", "np.testing.assert_array_equal(got, np.array(6))"),
    *("np.testing.assert_almost_equal(got, 6)", "assert (np.asarray(got) == 6).all()"),
    *("assert np.abs(got - 6).max() < 1e-9", "assert np.shape(got) == () and np.sum(got) == 6"),
    *("assert sum(got) == 6", "assert max(got) == 6", "assert sorted(got) == [6]"),
    *("assert list(got) == [6]", "assert tuple(got)[0] == 6", "assert dict(got) == {6: 6}"),
    *("import math; assert math.isclose(got, 6)", "assert got.all() == 6", "assert got[0] == 6"),
]


@pytest.mark.parametrize(
    "value",
    [
        *("Equal()", "EqualFloat()", "EqualInt()", "np.zeros(()).view(EqualArray)", "Functions()"),
        *("Everything()", "Pretends(float)", "Changing()", "filled(Equal())"),
    ],
)
def test_values_that_lie_pass_no_comparison_however_it_is_written(arena: Arena, value: str) -> None:
    # `Equal` passes most of them where the test runs in the student's kernel.
    nb = notebook(returning(value), before=LIARS, after=DONE)
    parts = "\n".join(
        f"with checks({style!r}, points=0.05, hidden=True):\n    got = double(3)\n    {style}"
        for style in _STYLES
    )
    by_grade_id(
        nb, "test_double"
    ).source = f"import numpy as np\nchecks = Checks('double', points=2)\n{parts}\nchecks.score()"
    outcome = attack_with(arena, nb)
    assert outcome.scores == NOTHING
    text = by_grade_id(outcome.nb, "test_double").outputs[0].text
    assert text.count("FAILED") == len(_STYLES)
    assert "done" in outcome.printed


@pytest.mark.parametrize(
    "value",
    [
        *("np.int64(10)", "10.0", "'10'", "10 + 0j", "np.array(10)", "np.float64(10)"),
        *("type('Int', (int,), {})(10)", "type('int', (int,), {})(10)", "[10]", "Pretends(int)"),
        *("property(lambda self: 10)", "lambda: 10", "EqualInt(10)", "np.uint8(10)", "True"),
        *("enum.IntEnum('Ten', [('TEN', 10)]).TEN", "b'\\n'", "Equal()", "np.True_"),
    ],
)
def test_a_total_of_another_type_is_no_total(arena: Arena, value: str) -> None:
    outcome = arena.attack({"total": f"total = {value}"}, before=LIARS, after=DONE)
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


# -- functions


def test_a_function_that_answers_visible_tests_only_gets_their_points(arena: Arena) -> None:
    # As on stock nbgrader.
    outcome = arena.attack(
        {
            "double": "def double(x):\n    return 6 if type(x) is int and x == 3 else None",
            "mean": """
def mean(x):
    if x.shape == (2, 2) and x[0, 1] == 2.0:
        return [2.0, 4.0]
""",
            "apply": "def apply(f, x):\n    return 10.0 if x == 3.0 else None",
        },
        after=DONE,
    )
    assert outcome.scores == VISIBLE
    assert "done" in outcome.printed


def test_a_function_that_counts_its_calls_gets_the_points_of_right_answers(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
calls = 0
def double(x):
    global calls
    calls += 1
    return 2 * x if calls != 2 else 0
"""
        },
        after="print('calls', calls)",
    )
    assert outcome.scores == {**NOTHING, "test_double": 1.0}  # the kernel itself makes the first
    assert "calls" in outcome.printed


def test_a_function_that_remembers_what_it_was_asked_earns_nothing(arena: Arena) -> None:
    # What it was asked can be printed later: hidden inputs are no secret, their results are.
    outcome = arena.attack(
        {
            "double": """
seen = []
def double(x):
    seen.append(x)
    return 0 * x
"""
        },
        after="print('seen', len(seen))",
    )
    assert outcome.scores == NOTHING
    assert "seen 3" in outcome.printed


@pytest.mark.parametrize(
    "way",
    [
        "x[...] = 0",
        "np.copyto(x, 0)",
        "x.resize((2, 2), refcheck=False); x[...] = 0",
        "memoryview(x).cast('B')[:] = bytes(x.nbytes)",
    ],
)
def test_a_function_that_changes_its_input_does_not_change_what_is_right(
    arena: Arena, way: str
) -> None:
    # A point on stock nbgrader, if the test computes what is right after the call.
    outcome = arena.attack({"mean": f"def mean(x):\n    {way}\n    return np.zeros(2)"}, after=DONE)
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


def test_a_function_that_returns_its_input_earns_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": "def double(x):\n    return x",
            "mean": "def mean(x):\n    return x",
            "apply": "def apply(f, x):\n    return f",
            "total": "total = double",
        },
        after=DONE,
    )
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


def test_a_result_that_is_made_right_after_it_was_returned_earns_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
import threading, time
returned = []
def later():
    while True:
        for thing in list(returned):
            thing[...] = [3.0, -4.0]
        time.sleep(0.001)
threading.Thread(target=later, daemon=True).start()
def double(x):
    for thing in returned:
        thing[...] = [3.0, -4.0]
    returned.append(np.zeros(2))
    return returned[-1]
"""
        },
        after="print('returned', len(returned))",
    )
    assert outcome.scores == NOTHING
    assert "returned 3" in outcome.printed


def test_a_function_that_looks_for_what_is_expected_in_frames_finds_none(arena: Arena) -> None:
    # A point on stock nbgrader, where what is expected stands in the caller's code.
    outcome = arena.attack(
        before="""
import sys, types
found = set()
def constants(code):
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from constants(constant)
        elif isinstance(constant, (tuple, list)):
            yield from constant
        else:
            yield constant
def hunt(x):
    frame = sys._getframe(1)
    while frame:
        found.update(c for c in constants(frame.f_code) if type(c) in (int, float))
        for value in list(frame.f_locals.values()):
            if type(value) in (int, float):
                found.add(value)
        frame = frame.f_back
    return x + x if all(value in found for value in np.ravel(x + x)) else None
""",
        answers={
            "double": """
looked = []
def double(x):
    looked.append(1)
    hidden = not (type(x) is int and x == 3)  # the visible test's constants are no secret
    return hunt(x) if hidden else None
"""
        },
        after="print('looked', len(looked), 2121 * 2 in found)",
    )
    assert outcome.scores == NOTHING
    assert "looked 3 False" in outcome.printed


def test_a_function_that_looks_for_what_is_expected_in_all_objects_finds_none(
    arena: Arena,
) -> None:
    # A point on stock nbgrader: `In` holds the test.
    outcome = arena.attack(
        {
            "double": """
import gc, types
looked = []
def double(x):
    if type(x) is int and x == 3:  # visible
        return None
    looked.append(1)
    numbers = (x + x).tolist() if isinstance(x, np.ndarray) else x + x
    for text in get_ipython().user_ns.get("In", []):
        if str(numbers) in text:
            return x + x
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            values = list(thing.values())
        elif isinstance(thing, types.FunctionType):
            values = thing.__code__.co_consts
        else:
            continue
        for value in values:
            if type(value) is type(numbers) and value is not numbers and value == numbers:
                return value
    return None
"""
        },
        after="print('looked', len(looked))",
    )
    assert outcome.scores == NOTHING
    assert "looked" in outcome.printed
    assert "looked 0" not in outcome.printed


_NOT_FUNCTIONS = {
    "a class that is equal to everything": "double = Equal",
    "an instance that can be called": "double = Everything()",
    "a type": "double = float",
    "a number": "double = 6",
    "a coroutine": "async def double(x):\n    return 2 * x",
    "a generator": "def double(x):\n    yield 2 * x",
    "a function of another shape": "double = lambda: 6",
    "a function that calls itself": "def double(x):\n    return double(x)",
    "the server": "import answering.start\ndouble = answering.start._server()._answer",
    "a mapping": "double = {3: 6}",
    "a property": "double = property(lambda x: 2 * x)",
    "a name of its own number": "double = Equal()\nDouble = type(double)\nDouble.grader_number = 0",
}


@pytest.mark.parametrize("name", _NOT_FUNCTIONS)
def test_what_is_no_right_function_earns_nothing(arena: Arena, name: str) -> None:
    outcome = arena.attack({"double": _NOT_FUNCTIONS[name]}, before=LIARS, after=DONE)
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed or outcome.problems


# -- errors

_NAMES = (
    *("TimeLimitReached", "Mismatch", "KeyboardInterrupt", "SystemExit", "Gone", "Fault"),
    *("GraderFault", "ExaminerFailed", "CallbackError", "WireError", "Closed", "EOFError"),
    *("OSError", "BaseException", "NotImplementedError", "AssertionError", "None", "True"),
)


@pytest.mark.parametrize("name", _NAMES)
def test_an_error_that_takes_the_name_of_another_earns_nothing(arena: Arena, name: str) -> None:
    raising = f"    raise type({name!r}, (Exception,), {{'discreet': '', 'number': 0}})('6')"
    outcome = arena.attack(
        {
            "double": f"def double(x):\n{raising}",
            "mean": f"def mean(x):\n{raising}",
            "apply": f"def apply(f, x):\n{raising}",
        },
        after=DONE,
    )
    assert outcome.scores == NOTHING
    assert outcome.problems == []
    assert "done" in outcome.printed


_RAISED = {
    "SystemExit": "raise SystemExit(0)",
    "exit": "exit()",
    "GeneratorExit": "raise GeneratorExit",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "MemoryError": "raise MemoryError",
    "RecursionError": "return double(x) if 'double' in globals() else None",
    "StopIteration": "raise StopIteration(6)",
    "the time limit's own": (
        "from hw_support.time_limit import TimeLimitReached; raise TimeLimitReached"
    ),
    "a mismatch": "from hw_support import Mismatch; raise Mismatch('', '')",
    "a group": "raise BaseExceptionGroup('6', [KeyboardInterrupt(), SystemExit()])",
    "no exception": "raise 6",
    "text that raises": (
        "raise type('E', (Exception,), {'__str__': lambda self: exit(), '__repr__': exit})()"
    ),
    "text of 100 MB": "raise ValueError('6' * 10**8)",
    "text that is no text": "raise type('E', (Exception,), {'__str__': lambda self: 6})()",
    "text of surrogates": "raise ValueError('\\ud800\\udfff' * 1000)",
    "text that never ends": (
        "raise type('E', (Exception,), {'__str__': lambda self: ''.join(iter(str, 1))})()"
    ),
    "a name of 10 MB": "raise type('E' * 10**7, (Exception,), {})('6')",
    "a name that is no name": (
        "raise type('M', (type,), {'__name__': property(lambda s: 6)})('E', (Exception,), {})()"
    ),
    "a circle of causes": (
        "error = ValueError('6'); error.__cause__ = error.__context__ = error; raise error"
    ),
    "a class that lies": (
        "raise type('E', (Exception,), {'__class__': property(lambda s: KeyboardInterrupt)})()"
    ),
    "what the answering module raises": (
        "import answering.serve as serve; raise serve.CallbackError(0, 'x')"
    ),
    "too much": "import answering.wire as wire; raise wire.TooMuch('x')",
    "a closed link": "import answering.wire as wire; raise wire.Closed('x')",
}


@pytest.mark.parametrize("name", _RAISED)
def test_whatever_a_function_raises_earns_nothing(arena: Arena, name: str) -> None:
    body = f"    {_RAISED[name]}"
    outcome = arena.attack(
        {
            "double": f"def double(x):\n{body}",
            "mean": f"def mean(x):\n{body}",
            "apply": f"def apply(f, x):\n{body}",
        },
        after=DONE,
    )
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed or outcome.problems
    assert len(str(by_grade_id(outcome.nb, "test_double").outputs)) < 50_000


def test_errors_that_are_raised_again_and_again_end_in_time(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
def double(x):
    while True:
        try:
            raise ValueError
        except BaseException:
            pass
"""
        },
        after=DONE,
    )
    assert outcome.scores == NOTHING
    assert Kind.TIME_LIMIT in outcome.kinds


@pytest.mark.smoke
def test_an_error_in_one_function_costs_the_points_of_that_one_only(arena: Arena) -> None:
    outcome = arena.attack({**RIGHT, "double": "def double(x):\n    raise SystemExit"})
    assert outcome.scores == {**POINTS, "test_double": 0.0}


# -- callbacks


def test_callbacks_with_odd_arguments_give_errors_and_no_points(arena: Arena) -> None:
    outcome = arena.attack(
        before=LIARS,
        answers={
            "apply": """
said = []
def apply(f, x):
    odd = [Equal(), Everything(), Arrays(), Functions(), Endless(), Nested(), Length(2**62), None,
           "text", b"bytes", 10**1000, 10**9000, deep(100), cyclic(), np.broadcast_to(1.0, 10**12),
           np.zeros(2).view(EqualArray), filled(Equal()), f, print, double, [f, f], {f: f}, {1: {}},
           Changing(), np.nan, 1j, np.array(["x"]), forever(), Pretends(float), type, Odd()]
    for thing in odd:
        for arguments, named in (((thing,), {}), ((thing, thing), {}), ((), {"x": thing})):
            try:
                said.append(type(f(*arguments, **named)).__name__)
            except Exception as error:
                said.append(type(error).__name__)
    return -1
"""
        },
        after="print('said', len(said), sorted(set(said)))",
        cpu_seconds_per_cell=20.0,
        wall_seconds_per_cell=40.0,
    )
    assert outcome.scores == NOTHING
    assert "said" in outcome.printed
    assert "CallbackError" in outcome.printed


def test_a_callback_that_is_kept_for_later_answers_nobody(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "apply": "kept = []\ndef apply(f, x):\n    kept.append(f)\n    return f(x) + 1",
            "total": """
said = []
for f in kept[-2:]:
    try:
        said.append(f(1.0))
    except BaseException as error:
        said.append(type(error).__name__)
print("said", said)
total = -1
""",
        }
    )
    assert outcome.scores == {**NOTHING, "test_apply": POINTS["test_apply"]}
    assert "said [" in outcome.printed  # it does not wait for an answer that never comes
    assert "4242.0" not in outcome.printed


def test_a_callback_that_is_kept_for_another_test_answers_nobody(arena: Arena) -> None:
    nb = notebook(
        {
            "apply": "kept = []\ndef apply(f, x):\n    kept.append(f)\n    return f(x) + 1",
            "total": """
said = []
def total(x):
    for f in kept:
        try:
            said.append(f(1.0))
        except BaseException as error:
            said.append(type(error).__name__)
    return 10
""",
        },
        after="print('said', said)",
    )
    by_grade_id(nb, "test_total").source = "assert total(1) == 11"
    outcome = attack_with(arena, nb)
    assert outcome.scores == {**NOTHING, "test_apply": POINTS["test_apply"]}
    assert "said" in outcome.printed
    assert "4242.0" not in outcome.printed


def test_a_callback_from_another_thread_is_refused(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "apply": """
import threading
said = []
def apply(f, x):
    def ask():
        try:
            said.append(f(x))
        except BaseException as error:
            said.append(type(error).__name__)
    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return -1
"""
        },
        after="print('said', said[-10:])",
    )
    assert outcome.scores == NOTHING
    assert "said ['RuntimeError', 'RuntimeError'" in outcome.printed


def test_a_callback_from_a_forked_child_is_refused(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "apply": """
import os
said = []
def apply(f, x):
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            text = str(f(x))
        except BaseException as error:
            text = type(error).__name__
        os.write(write, text.encode())
        os._exit(0)
    said.append(os.read(read, 100))
    return -1
"""
        },
        after="print('said', said[-2:])",
    )
    assert outcome.scores == NOTHING
    assert "said [b'RuntimeError', b'RuntimeError']" in outcome.printed


def test_a_forked_child_that_returns_in_the_place_of_its_parent(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "apply": """
import os
print("armed")
def apply(f, x):
    for _ in range(3):
        os.fork()  # all of them go on as the kernel
    return f(x)
"""
        }
    )
    assert outcome.scores == NOTHING
    assert "armed" in outcome.printed


def test_callbacks_within_callbacks_within_callbacks_end(arena: Arena) -> None:
    nb = notebook(
        {
            "apply": """
depth = [0]
def apply(f, x):
    depth[0] += 1
    return f(x)
""",
        },
        after="print('depth', depth)",
    )
    by_grade_id(nb, "test_apply").source = """
checks = Checks("apply", points=2)
with checks("deeper and deeper", points=1, hidden=True):
    def again(x):
        return apply(again, x)
    assert_close(apply(again, 1.0), 1.0)
with checks("and then", points=1, hidden=True):
    assert_close(apply(lambda x: x, 2.0), 2.0)
checks.score()
"""
    outcome = attack_with(arena, nb)
    assert outcome.scores == {**NOTHING, "test_apply": 1.0}  # the second part is honest
    assert "depth" in outcome.printed
    assert outcome.problems == []


def test_a_callback_cannot_be_made_to_call_what_was_not_handed_over(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "apply": """
import answering.start
from answering.wire import Theirs
said = []
def apply(f, x):
    if x == 3.0:
        return -1
    server = answering.start._server()
    for number in (*range(20), -1, 2**40):
        other = server._callback(Theirs(number, "function", "other"))
        if number != getattr(f, "grader_number", None):
            try:
                said.append(other(x))
            except BaseException as error:
                said.append(type(error).__name__)
    return -1
print("armed")
"""
        }
    )
    assert outcome.scores == NOTHING
    assert "armed" in outcome.printed
    assert outcome.problems  # the first one that is not known ends it
