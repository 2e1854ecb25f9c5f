"""Odd answers: they return a value of the wrong kind, or nothing; parts that fail give no points.

Most call the instructor's function, and change its result. So every function has the same odd
answers, and each has only one mistake.
"""

import pytest

from tools.validity.answers import Answer, homeworks
from tools.validity.scoring import notebook_of, score_all

pytestmark = pytest.mark.slow

BEGIN = """
RIGHT = FUNCTION

def each(change, result):
    if HAS_CACHE:  # the cache is the student's own business
        return change(result[0]), result[1]
    if isinstance(result, (list, tuple)):
        return type(result)(each(change, one) for one in result)
    return change(np.asarray(result, dtype=float))

"""
HAVE_CACHE = ("layer_forward", "forward_pass")

# FUNCTION is the function's name, RIGHT the instructor's; `each` changes every array of a result.
NOTHING_IS_RIGHT = {
    "is missing": "del FUNCTION",
    "takes no arguments": "FUNCTION = lambda: 0",
    "returns None": "FUNCTION = lambda *_: None",
    "raises an exception that cannot be printed": """\
class Mute(Exception):
    def __str__(self): raise self
    __repr__ = __str__
def FUNCTION(*_):
    raise Mute
""",
    "calls itself for ever": """\
def FUNCTION(*a):
    return FUNCTION(*a)
""",
}
# These give a result of the right kind where one array is due: parts that compare nothing may pass.
WRONG_UNLESS_ONE_ARRAY = {
    "returns a number": "FUNCTION = lambda *_: 0.5",
    "returns a pair of None": "FUNCTION = lambda *a: (None, None)",
}
# Parts that do not look at what is odd may pass.
PARTLY_RIGHT = {
    "returns itself": "FUNCTION = lambda *_: (FUNCTION, FUNCTION)",
    "writes into its arguments": """\
def FUNCTION(*arguments):
    result = RIGHT(*arguments)
    for argument in arguments:
        for array in argument if isinstance(argument, list) else [argument]:
            if isinstance(array, np.ndarray) and array.flags.writeable:
                result = each(np.copy, result)
                array += array.dtype.type(1)
    return result
""",
}
# By what each array of a result is replaced.
EACH = {
    "returns generators of rows": "(row for row in array)",
    "returns arrays of another shape": "array[None, None]",
    "returns ragged lists": "[[1.0, 2.0], [3.0]]",
}
PARTLY_RIGHT |= {
    name: f"FUNCTION = lambda *a: each(lambda array: {other}, RIGHT(*a))"
    for name, other in EACH.items()
}
FUNCTIONS = [(homework, f) for homework in homeworks() for f in notebook_of(homework).functions]
TAKE_NO_ARRAYS = ("create_weight_matrices", "create_bias_vectors")


def scored(homework, function, odd):
    """Yield an odd answer's name, the result of its own test, and failed parts of other tests."""
    notebook = notebook_of(homework)
    source = notebook.cells[function].source + BEGIN
    tests = tuple(t for t in notebook.tests if notebook.charged(t) in notebook.functions)
    odd = {name: source + text for name, text in odd.items()}
    for old, new in (
        ("HAS_CACHE", str(function in HAVE_CACHE)),
        ("FUNCTION", function),
        ("RIGHT", f"right_{function}"),
    ):
        odd = {name: text.replace(old, new) for name, text in odd.items()}
    jobs = [(Answer(function, name, {function: text}), tests) for name, text in odd.items()]
    for answer, (run,) in score_all(notebook, jobs, [0]):
        lost = {test: result.failed for test, result in run.items() if result.lost}
        (own,) = notebook.tests_of(function)
        yield answer.name, run[own], {test: lost[test] for test in lost.keys() - {own}}


ALL = NOTHING_IS_RIGHT | WRONG_UNLESS_ONE_ARRAY | PARTLY_RIGHT


@pytest.mark.parametrize(("homework", "function"), FUNCTIONS)
def test_an_odd_answer_loses_points_and_only_its_own(homework, function):
    for name, own, others in scored(homework, function, ALL):
        assert own.parts, f"{name}: the cell gave up\n{own.printed}"
        one_array = homework == "hw0"
        if name in NOTHING_IS_RIGHT or (name in WRONG_UNLESS_ONE_ARRAY and not one_array):
            assert own.score == 0, name
        elif name != "writes into its arguments" or function not in TAKE_NO_ARRAYS:
            assert own.lost, name
        # A cache may hold the arguments: then backward_pass reads what was written into them.
        changed = name == "writes into its arguments" and function in HAVE_CACHE
        assert changed or not others, f"{name}: {others}"
