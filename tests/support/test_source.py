"""Which names a cell binds, whatever magics it has."""

import pytest

from hw_support.source import bound_by


@pytest.mark.parametrize(
    ("cell", "bound"),
    [
        ("a = f(b)", ["a"]),
        ("%%time\na = f(1)", ["a"]),
        ("%time a = f(1)", ["a"]),
        ("print(0)\nif True:\n    %time a = f(1)\n!ls", ["a"]),
        ("a = f(1)\n%matplotlib", ["a"]),
        ("import numpy as np\nfrom x import y", ["np", "y"]),
        ("def g(x):\n    global a\n    a = x + b", ["a", "g"]),
        ("class C:\n    def m(self): return [f(i) for i in b]", ["C"]),
        ("f(rng=1).axes", []),
        ("a = = 1", []),
        ("(" * 10_000, []),
        ("x = " + "x+" * 50_000 + "x", []),
    ],
    ids=lambda value: str(value)[:20],
)
def test_names_that_a_cell_binds(cell, bound):
    assert bound_by(cell) == bound
