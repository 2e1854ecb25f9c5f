"""The part for the speed of `squared_distances`, by clocks that only these tests move."""

import nbformat
import pytest

from hw_grading.homework.course import REPOSITORY
from hw_grading.trying.plan import Plan
from hw_support.submission.cells import grade_id_of

TEST = "test_squared_distances"
PART = "at least five times as fast as the loops"
LOOPS = 0.04  # seconds that the loops compute
NOTEBOOK = nbformat.read(REPOSITORY / "source" / "hw0" / "hw0.ipynb", as_version=4)
CLOCKS = f"""
import builtins, types
LOOPS = {LOOPS}
at = dict(wall=0.0, own=0.0)
time = types.SimpleNamespace(
    perf_counter=lambda: at["wall"], thread_time=lambda: at["own"]
)
def passed(wall, own=0.0):
    at["wall"] += wall
    at["own"] += own
def squared_distances_loops(A, B):
    passed({{loops}}, LOOPS)
    return A
right = lambda A, B: ((A[:, None] - B[None]) ** 2).sum(axis=2)
calls = []
"""
AT_ONCE = """
def squared_distances(A, B):
    if len(A) == 120:
        calls.append(A)
        passed({seconds})
    return right(A, B)
"""
WHEN_READ = """
class Later:
    def __init__(self, A, B):
        self.points = A, B
        passed(LOOPS / 50)
    def __array__(self, *args, **kwargs):
        passed(LOOPS)
        return right(*self.points)
squared_distances = Later
"""


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    monkeypatch.setenv("HW_GRADING_SEED", "0")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")


def failed(loops, answer):
    """Return the parts that fail; calls take the seconds of `loops`, and those in `answer`."""
    source = CLOCKS.format(loops=loops) + answer
    instead = {"squared_distances": source, "squared_distances_loops": ""}
    names = {}
    for cell in Plan("hw0", NOTEBOOK).cut([TEST], instead).cells:
        if cell.source or grade_id_of(cell):
            exec(cell.source, names)
    return [part.what for part in names["checks"].parts if not part.passed]


def at_once(seconds):
    return AT_ONCE.format(seconds=seconds)


ANSWERS = {
    "loops, though the processor is busy": ("40 * LOOPS", at_once("LOOPS"), False),
    "loops": ("LOOPS", at_once("LOOPS"), False),
    "no loops": ("LOOPS", at_once("LOOPS / 50"), True),
    "no loops, and all calls but the ninth are disturbed": (
        "LOOPS",
        at_once("LOOPS / 50 if len(calls) == 9 else LOOPS"),
        True,
    ),
    "zeros for many points": (
        "LOOPS",
        at_once("LOOPS / 50").replace("return", "return (len(A) != 120) *"),
        False,
    ),
    "computed when it is read": ("LOOPS", WHEN_READ, False),
}


@pytest.mark.parametrize(("loops", "answer", "is_fast"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_fast_by_what_it_computes_itself(loops, answer, is_fast):
    assert failed(loops, answer) == ([] if is_fast else [PART])
