"""The three-way comparison says which of the three holds, and where it is worst."""

import doctest

import numpy as np
import pytest

from hw_support import Mismatch, compare, compare_arrays


def test_its_example_holds():
    results = doctest.testmod(compare)
    assert results.attempted > 0
    assert results.failed == 0


def said(capsys, a, b):
    error = compare_arrays(a, b, "x")
    return error, capsys.readouterr().out


def test_equal_arrays_are_called_equal(capsys):
    assert said(capsys, np.eye(2), np.eye(2)) == (0.0, "x: equal, all 4 entries\n")


def test_a_factor_of_two_is_not_close_and_its_place_is_shown(capsys):
    a = np.array([[1.0, 2.0], [3.0, -8.0]])
    error, line = said(capsys, a, a * [[1, 1], [1, 0.5]])
    assert error == 0.5
    assert line == (
        "x: not equal; NOT close (relative error 5e-01); largest difference 4e+00 at [1, 1]: "
        "-8 and -4\n"
    )


def test_an_error_of_finite_differences_counts_as_close(capsys):
    a = np.array([1e-6, -3e-6])
    assert "; close (relative error 1e-08)" in said(capsys, a, a * (1 + 1e-8))[1]


def test_nan_is_the_largest_difference(capsys):
    line = said(capsys, np.array([1.0, np.nan, 1.0]), np.array([5.0, 1.0, 1.0]))[1]
    assert "NOT close" in line
    assert "at [1]: nan and 1" in line


def test_other_shapes_are_refused_by_name():
    with pytest.raises(Mismatch, match=r"the second x has shape \(2, 2\); \(2,\) was expected"):
        compare_arrays(np.ones(2), np.ones((2, 2)), "x")
