"""Which names a cell binds and reads, whatever magics it has."""

import pytest

from hw_support.source import bound_by, checks_in, read_by


@pytest.mark.parametrize(
    ("cell", "bound", "read"),
    [
        ("a = f(b)", ["a"], ["b", "f"]),
        ("%%time\na = f(1)", ["a"], ["f"]),
        ("%time a = f(1)", ["a"], ["f"]),
        ("print(0)\nif True:\n    %time a = f(1)\n!ls", ["a"], ["f", "print"]),
        ("a = f(1)\n%matplotlib", ["a"], ["f"]),
        ("import numpy as np\nfrom x import y", ["np", "y"], []),
        ("def g(x):\n    global a\n    a = x + b", ["a", "g"], ["b"]),
        ("class C:\n    def m(self): return [f(i) for i in b]", ["C"], ["b", "f"]),
        ("f(rng=1).axes", [], ["f"]),
        ("a = = 1", [], []),
        ("(" * 10_000, [], []),
        ("x = " + "x+" * 50_000 + "x", [], []),
    ],
    ids=lambda value: str(value)[:20],
)
def test_names_of_a_cell(cell, bound, read):
    assert bound_by(cell) == bound
    assert read_by(cell) == read


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        ('checks = Checks("f")', 1),
        ('one, two = hw_support.Checks("f"), Checks("g")', 2),
        ('%time checks = Checks("f")', 1),
        ('style = StyleChecks("f")', 0),
        ('assert f(1) == 2  # with Checks("f") it would be examined', 0),
        ('print("Checks(")', 0),
        ('checks = Checks("f"', 0),  # no Python
    ],
)
def test_a_cell_uses_checks_if_it_calls_them(cell, count):
    assert len(checks_in(cell)) == count
