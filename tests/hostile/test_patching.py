"""Attacks that patch what a test rests on: Python, NumPy, `hw_support`, modules, the environment.

All of it happens in the student's kernel. On stock nbgrader tests run there too, and attacks with
"stock points" in their names get points, most of them all. Here tests run elsewhere, with a Python,
a NumPy and an `hw_support` of their own, and take nothing but values from the kernel.
"""

from __future__ import annotations

import pytest
from arena import NOTHING, POINTS, RIGHT, Arena, Outcome, notebook
from nbformat import NotebookNode

from hw_support.submission.problems import Kind

pytestmark = pytest.mark.slow

DONE = "print('d' + 'one')"


def by_grade_id(nb: NotebookNode, grade_id: str) -> NotebookNode:
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def expect_nothing_gained(outcome: Outcome) -> None:
    assert outcome.scores == NOTHING


# -- Python itself

_LIES = {
    "abs": "lambda thing: 0",
    "len": "lambda thing: 2",
    "sum": "lambda *a, **k: 2.0",
    "max": "lambda *a, **k: 0.0",
    "all": "lambda *a: True",
    "any": "lambda *a: False",
    "isinstance": "lambda *a: True",
    "callable": "lambda *a: False",
    "float": "type('float', (float,), {'__new__': lambda cls, *a: real_float.__new__(cls, 2.0)})",
    "bool": "lambda *a: True",
    "print": "lambda *a, **k: real_print('passed', **k)",
    "repr": "lambda *a: '2.0'",
    "type": "lambda *a: int",
    "zip": "lambda *a, **k: iter(())",
    "getattr": "lambda *a: real_getattr(*a) if a[1] != 'passed' else True",
    "AssertionError": "type('AssertionError', (Exception,), {'__init__': lambda *a, **k: None})",
    "Exception": "BaseException",
}


@pytest.mark.parametrize("name", _LIES)
def test_a_builtin_that_lies_changes_no_verdict(arena: Arena, name: str) -> None:
    # With abs: all points but one on stock nbgrader.
    outcome = arena.attack(
        before=f"""
import builtins
real_{name} = builtins.{name}
real_print = builtins.print
real_print("armed")
builtins.{name} = {_LIES[name]}
""",
        cpu_seconds_per_cell=3.0,
        wall_seconds_per_cell=4.0,
        iopub_timeout=1,
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed or outcome.problems


def test_an_import_that_hands_out_fakes_changes_no_verdict_stock_points(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import builtins, types
asked, before = [], builtins.__import__
def fake(name, *arguments, **named):
    asked.append(name)
    module = before(name, *arguments, **named)
    if name.startswith("hw_") and hasattr(module, "checks"):
        module.checks.Checks.score = lambda self: float(self.points)
        module.assert_close = lambda *a, **k: None
    return module
builtins.__import__ = fake
from hw_support import Checks, assert_close
""",
        after="print('asked', 'hw_support' in asked)",
    )
    expect_nothing_gained(outcome)
    assert "asked True" in outcome.printed


def test_classes_that_are_built_otherwise_change_no_verdict(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import builtins
built, before = [], builtins.__build_class__
def build(function, name, *bases, **named):
    built.append(name)
    made = before(function, name, *bases, **named)
    for method in ("__eq__", "__le__", "__lt__", "__ge__", "__gt__", "__bool__"):
        try:
            setattr(made, method, lambda *a: True)
        except (AttributeError, TypeError):
            pass
    return made
builtins.__build_class__ = build
class Mine:
    pass
print("built", built, Mine() < 1)
"""
    )
    expect_nothing_gained(outcome)
    assert "built ['Mine'] True" in outcome.printed


def test_asserts_that_are_compiled_away_still_count_stock_points(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import builtins
before = builtins.compile
def optimizing(source, filename, mode, *arguments, **named):
    named["optimize"] = 2
    return before(source, filename, mode, *arguments[:2], **named)
builtins.compile = optimizing
""",
        after="assert False\nprint('still h' + 'ere')",
    )
    expect_nothing_gained(outcome)
    assert "still here" in outcome.printed  # asserts are gone, in the kernel


def test_methods_of_builtin_types_that_are_overwritten_change_no_verdict_stock_points(
    arena: Arena,
) -> None:
    outcome = arena.attack(
        before="""
import ctypes, gc
import numpy as np
methods = gc.get_referents(np.ndarray.__dict__)[0]
methods["all"] = lambda *a, **k: np.True_
methods["any"] = lambda *a, **k: np.False_
ctypes.pythonapi.PyType_Modified(ctypes.py_object(np.ndarray))
""",
        after="print('all', np.array([False]).all(), 'any', np.array([True]).any())",
    )
    expect_nothing_gained(outcome)
    assert "all True any False" in outcome.printed


def test_comparisons_that_are_replaced_in_memory_change_no_verdict(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import ctypes

class Equal:
    def __eq__(self, other):
        return True
    def __lt__(self, other):
        return True
    def __le__(self, other):
        return True
    __hash__ = None

# tp_richcompare stands 25 words into a type; that of Equal goes to float and int.
where = 25 * ctypes.sizeof(ctypes.c_void_p)
taken = ctypes.c_void_p.from_address(id(Equal) + where)
for kind in (float, int):
    before = ctypes.c_void_p.from_address(id(kind) + where).value
    ctypes.c_void_p.from_address(id(kind) + where).value = taken.value
print("armed")
"""
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed or outcome.problems


def test_a_constant_that_is_another_number_in_memory_changes_no_verdict(arena: Arena) -> None:
    # 6 becomes 0 in the whole process, so that what is expected of `double(3)` is 0.
    outcome = arena.attack(
        before="""
import ctypes
places = [place for place in range(8, 40) if ctypes.c_byte.from_address(id(6) + place).value == 6]
print("armed at", places)
ctypes.c_byte.from_address(id(6) + places[-1]).value = 0
print("sum", 6 + 0)
"""
    )
    expect_nothing_gained(outcome)
    assert "armed at [" in outcome.printed


def test_code_of_checks_that_is_exchanged_through_the_collector_stock_points(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import gc, types
def nothing(*a, **k):
    return None
def full(self):
    return float(self.points)
changed = []
gc.unfreeze()
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and "hw_support" in str(thing.__module__):
        if thing.__name__ in ("assert_close", "expect", "as_numbers", "_plain_array"):
            thing.__code__ = nothing.__code__
            thing.__defaults__ = thing.__kwdefaults__ = None
            changed.append(thing.__name__)
        if thing.__qualname__ == "Checks.score":
            thing.__code__ = full.__code__
            changed.append("score")
""",
        after="print('changed', sorted(set(changed)))",
    )
    expect_nothing_gained(outcome)
    assert "assert_close" in outcome.printed
    assert "'score'" in outcome.printed


def test_a_collector_that_never_runs_or_raises_gains_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import gc
def raising(phase, info):
    raise SystemExit(phase)
gc.callbacks.append(raising)
gc.set_threshold(1, 1, 1)
gc.freeze()
"""
    )
    expect_nothing_gained(outcome)
    assert "in raising" in outcome.printed


def test_recursion_without_a_limit_ends_as_a_dead_kernel(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
import sys, threading
sys.setrecursionlimit(10**9)
def double(x):
    return double(x) + 1
print("armed")
"""
        }
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed
    assert outcome.problems


def test_timers_that_are_disarmed_do_not_lift_the_limits(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
import signal, threading, time
for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU):
    signal.signal(number, signal.SIG_IGN)
signal.setitimer = lambda *a: (0, 0)
signal.signal = lambda *a: None
time.monotonic = time.time = time.process_time = lambda: 0.0
def double(x):
    while True:
        pass
print("armed")
"""
        }
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed
    assert Kind.TIME_LIMIT in outcome.kinds


def test_interrupts_that_are_ignored_do_not_lift_the_limits(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.default_int_handler = lambda *a: None
def double(x):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
print("armed")
"""
        }
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed
    assert Kind.TIME_LIMIT in outcome.kinds


def test_streams_that_are_closed_or_exchanged_gain_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import io, os, sys
print("armed")
class Stream(io.TextIOBase):
    def write(self, text):
        raise SystemExit("no")
sys.stdout.flush()
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Stream()
for number in (0, 1, 2):
    os.close(number)
"""
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed


# -- NumPy

_NUMPY = {
    "isclose": "lambda a, b, **k: np.ones(np.shape(b), bool)",
    "asarray": "lambda *a, **k: right_array",
    "allclose": "lambda *a, **k: True",
    "array_equal": "lambda *a, **k: True",
    "array": "lambda *a, **k: right_array",
    "argwhere": "lambda *a, **k: right_array[:0]",
    "isfinite": "lambda *a, **k: real_ones(1, bool)",
    "arange": "lambda *a, **k: np.zeros(12)",
    "ndarray": "type('ndarray', (np.ndarray,), {'__eq__': lambda *a: True, 'all': lambda s: True})",
    "float64": "type('float64', (np.float64,), {'__eq__': lambda *a: True})",
    "bool_": "lambda *a: True",
    "errstate": "None",
}


@pytest.mark.parametrize("name", _NUMPY)
def test_a_numpy_function_that_lies_changes_no_verdict(arena: Arena, name: str) -> None:
    # With isclose or asarray: all points but one on stock nbgrader.
    outcome = arena.attack(
        before=f"""
import numpy as np
right_array, real_ones = np.zeros(2), np.ones
np.{name} = {_NUMPY[name]}
import numpy
assert numpy is np
print("armed")
"""
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed


def test_numpys_own_testing_functions_that_pass_everything_stock_points(arena: Arena) -> None:
    nb = notebook(
        {},
        before="""
import numpy as np
import numpy.testing as testing
for name in dir(testing):
    if name.startswith("assert"):
        setattr(testing, name, lambda *a, **k: None)
np.testing.assert_allclose(1, 2)
print("armed")
""",
    )
    by_grade_id(nb, "test_double").source = """
np.testing.assert_allclose(double(3), 6)
### BEGIN HIDDEN TESTS
np.testing.assert_array_equal(double(np.arange(3)), [0, 2, 4])
### END HIDDEN TESTS
"""
    outcome = arena.grade(nb)
    assert outcome.fault is None
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed
    arena.expect_no_harm(outcome)


def test_warnings_that_are_errors_and_other_settings_stay_the_students_own(arena: Arena) -> None:
    # What would be a fault of the grader's, were it one process: right answers stay right.
    outcome = arena.attack(
        RIGHT,
        before="""
import decimal, locale, os, random, sys, warnings
import numpy as np
warnings.simplefilter("error")
np.seterr(all="raise")
np.set_printoptions(precision=0, formatter={"all": lambda x: "?"})
decimal.getcontext().prec = 1
sys.set_int_max_str_digits(640)
sys.float_repr_style = "none"
os.environ.clear()
os.environ["NBGRADER_EXECUTION"] = "validate"
os.environ["HW_GRADING_SEED"] = "not a number"
os.environ["PYTHONHASHSEED"] = "0"
os.chdir("/")
np.random.seed(0)
random.seed(0)
""",
        after=DONE,
    )
    assert outcome.scores == POINTS
    assert "done" in outcome.printed


def test_random_generators_that_return_one_number_foresee_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import random
import numpy as np
class Same(np.random.Generator):
    def __getattribute__(self, name):
        return lambda *a, **k: np.zeros(2)
np.random.default_rng = lambda *a: Same(np.random.PCG64(0))
np.random.seed(0)
np.random.set_state = np.random.get_state = lambda *a: None
random.setstate = random.getstate = lambda *a: None
rng = Same(np.random.PCG64(0))  # its bit generator is none
print("armed")
"""
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed


# -- hw_support

_SUPPORT = {
    "assert_close": "hw_support.compare.assert_close = hw_support.assert_close = nothing",
    "expect": "hw_support.compare.expect = hw_support.expect = nothing",
    "Mismatch": "hw_support.compare.Mismatch = hw_support.Mismatch = Silent",
    "_plain_array": "hw_support.compare._plain_array = lambda *a: hw_support.compare.np.zeros(2)",
    "Checks.record": (
        "before = hw_support.Checks.record\n"
        "hw_support.Checks.record = lambda self, what, points, text: before(self, what, points, '')"
    ),
    "Checks.score": "hw_support.Checks.score = lambda self: float(self.points)",
    "Checks.__call__": "hw_support.Checks.__call__ = lambda *a, **k: suppress(Exception)",
    "Attempt.__exit__": "hw_support.checks.Attempt.__exit__ = passed",
    "Attempt._message": "hw_support.checks.Attempt._message = lambda *a: ''",
    "Part.passed": "hw_support.checks.Part.passed = True",
    "RandomState": "hw_support.checks.RandomState = None",
    "time_limit": "hw_support.checks.time_limit = hw_support.checks.TimeLimitReached = None",
}


@pytest.mark.parametrize("name", _SUPPORT)
def test_a_part_of_hw_support_that_is_replaced_changes_no_verdict(arena: Arena, name: str) -> None:
    # With most of them: all points but one on stock nbgrader.
    outcome = arena.attack(
        before=f"""
from contextlib import suppress
import hw_support, hw_support.checks, hw_support.compare
def nothing(*a, **k):
    return None
class Silent(AssertionError):
    discreet, got, expected = "", None, None
    def __init__(self, *a, **k):
        pass
def passed(self, kind, error, traceback):
    self._streams.close()
    self.checks.record(self.what, self.points, "")
    return True
{_SUPPORT[name]}
from hw_support import Checks, assert_close
print("armed")
"""
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed


def test_names_that_tests_use_and_a_student_binds_anew_stock_points(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
class Checks:
    def __init__(self, name, points):
        self.points = float(points)
    def __call__(self, *a, **k):
        import contextlib
        return contextlib.suppress(BaseException)
    def score(self):
        return self.points
checks = Checks("double", 2)
assert_close = lambda *a, **k: None
x = secret_function = checks
"""
        },
        after=DONE,
    )
    expect_nothing_gained(outcome)
    assert "done" in outcome.printed


@pytest.mark.smoke
def test_names_that_a_student_deletes_are_still_there_for_tests(arena: Arena) -> None:
    outcome = arena.attack(
        {
            **RIGHT,
            "total": "total = 10\ndel Checks, assert_close\nfor name in ('In', 'Out', 'exit'):\n"
            "    globals().pop(name, None)",
        },
        after=DONE,
    )
    assert outcome.scores == POINTS
    assert "done" in outcome.printed


def test_a_namespace_that_lies_about_names_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import answering.start
asked = []
class Names(dict):
    def get(self, name, default=None):
        asked.append(name)
        return lambda *a, **k: self
    def values(self):
        raise RuntimeError("no")
    def __len__(self):
        return 2
    def __iter__(self):
        while True:
            yield 6
server = answering.start._server()
server._names = Names(get_ipython().user_ns)
""",
        after="print('asked', 'double' in asked or len(asked))",
    )
    expect_nothing_gained(outcome)
    assert "asked" in outcome.printed or outcome.problems


# -- modules

_FILES = (
    *("numpy", "hw_support", "hw_grading", "answering", "json", "msgpack", "socket", "select"),
    *("sitecustomize", "usercustomize", "encodings", "contextlib", "IPython", "zmq", "ipykernel"),
    *("matplotlib", "signal", "struct", "typing", "random", "enum", "ast"),
)


def test_files_named_like_modules_hide_none_of_them(arena: Arena) -> None:
    outcome = arena.attack(
        before=f"""
import os, subprocess, sys
for name in {_FILES!r}:
    text = "import os; open('/tmp/taken', 'a').write(__name__ + ' ')\\nfloat = 2.0\\n"
    with open(name + ".py", "w") as file:
        file.write(text)
    for folder in (".", ".local/lib/python3.11/site-packages", ".ipython/profile_default/startup"):
        os.makedirs(f"{{folder}}/{{name}}_", exist_ok=True)
        with open(f"{{folder}}/{{name}}.py", "w") as file:
            file.write(text)
for module in [m for m in sys.modules if m.partition(".")[0] in ("json", "ast", "select")]:
    del sys.modules[module]
import json, ast, select, enum, numpy, hw_support
print("json is", json.__file__)
code = "import numpy, hw_support, json; print('child', numpy.__file__)"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
print("taken", os.path.exists("/tmp/taken"))
"""
    )
    expect_nothing_gained(outcome)
    assert "json is /usr/" in outcome.printed or "json is /opt/" in outcome.printed
    assert "child /opt/" in outcome.printed
    assert "taken False" in outcome.printed


def test_files_named_like_modules_are_not_there_for_the_next_student(arena: Arena) -> None:
    leave = """
import os
for folder in ("/home/student", "/tmp", "/dev/shm", os.getcwd(), "/run/kernel"):
    for name in ("numpy", "hw_support", "sitecustomize", "left"):
        with open(f"{folder}/{name}.py", "w") as file:
            file.write("double = lambda x: 2 * x")
print("l" + "eft")
"""
    find = """
import os
found = [folder for folder in ("/home/student", "/tmp", "/dev/shm", "/run/kernel")
         if os.path.exists(f"{folder}/left.py")]
print("found", found)
"""
    assert "left" in arena.grade(notebook({}, before=leave)).printed
    outcome = arena.attack(before=find)
    assert "found []" in outcome.printed


def test_a_search_path_with_a_folder_of_fakes_changes_no_verdict_stock_points(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import os, sys
os.makedirs("/tmp/fakes/hw_support")
with open("/tmp/fakes/hw_support/__init__.py", "w") as file:
    file.write('''
import contextlib
def assert_close(*a, **k): pass
class Checks:
    def __init__(self, name, points): self.points = float(points)
    def __call__(self, *a, **k): return contextlib.suppress(BaseException)
    def score(self): return self.points
''')
sys.path.insert(0, "/tmp/fakes")
for name in [name for name in sys.modules if name.startswith("hw_support")]:
    del sys.modules[name]
from hw_support import Checks, assert_close
print("Checks of", Checks.__module__, sys.modules["hw_support"].__file__)
"""
    )
    expect_nothing_gained(outcome)
    assert "/tmp/fakes/hw_support" in outcome.printed


def test_a_finder_that_makes_every_module_itself_changes_no_verdict(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import importlib.abc, importlib.machinery, sys, types
asked = []
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        asked.append(name)
        if name.partition(".")[0] in ("hw_support", "answering", "msgpack"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: (lambda *a, **k: None)
        module.__path__ = []
        return module
    def exec_module(self, module):
        pass
sys.meta_path.insert(0, Finder())
for name in list(sys.modules):
    if name.partition(".")[0] in ("hw_support", "answering", "msgpack"):
        del sys.modules[name]
import hw_support
hw_support.anything()
print("asked", "hw_support" in asked)
"""
    )
    expect_nothing_gained(outcome)
    assert "asked True" in outcome.printed


_FAKES = {
    "msgpack": "msgpack.packb = lambda value, **k: before(['value', 2.0, [], []])",
    "msgpack unpacking": "msgpack.unpackb = lambda data, **k: [0, 'end']",
    "socket": "socket.socket.send = lambda self, data: len(data)",
    "select": "select.select = lambda *a: ([], [], [])",
    "wire": "wire.pack = lambda *a: [struct.pack('>II', 1, 0) + b'\\x02']",
    "numpy arrays": "wire.is_plain = lambda *a: True",
}


@pytest.mark.parametrize("name", _FAKES)
def test_what_the_answering_module_rests_on_is_replaced_and_nothing_is_gained(
    arena: Arena, name: str
) -> None:
    outcome = arena.attack(
        before=f"""
import select, socket, struct
import msgpack
import answering.wire as wire
before = msgpack.packb
{_FAKES[name]}
print("armed")
"""
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed


def test_a_thread_that_patches_all_the_time_changes_no_verdict_stock_points(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import sys, threading
rounds = [0]
def patch():
    while True:
        for name, module in list(sys.modules.items()):
            if name.startswith("hw_support"):
                module.assert_close = lambda *a, **k: None
                if hasattr(module, "Checks"):
                    module.Checks.score = lambda self: float(self.points)
        names = get_ipython().user_ns
        names["assert_close"] = lambda *a, **k: None
        rounds[0] += 1
        stop.wait(0.005)
stop = threading.Event()
threading.Thread(target=patch, daemon=True).start()
""",
        after="print('rounds', rounds[0] > 1)",
    )
    expect_nothing_gained(outcome)
    assert "rounds True" in outcome.printed


def test_callbacks_from_another_thread_that_calls_itself_the_main_one(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "apply": """
import threading, types
import answering.serve
main = threading.get_ident()
answering.serve.threading = types.SimpleNamespace(get_ident=lambda: main)
said = []
def apply(f, x):
    def ask():
        for _ in range(20):
            try:
                said.append(f(x))
            except BaseException as error:
                said.append(type(error).__name__)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    return -1
"""
        },
        after="print('said', len(said) > 0)",
    )
    expect_nothing_gained(outcome)
    assert "said True" in outcome.printed or outcome.problems


def test_a_kernel_that_becomes_another_program_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
import os, sys
def double(x):
    os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(1000)"])
print("armed")
"""
        }
    )
    expect_nothing_gained(outcome)
    assert "armed" in outcome.printed
    assert outcome.problems
