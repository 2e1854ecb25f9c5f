"""Stand-ins take the names, options and defaults of the student's own function."""

import functools

import pytest

from hw_support.fitting import fitted, parameters_of


def right(x, W, b):
    return x, W, b


def fit(own):
    return fitted(right, parameters_of(own))


def test_names_of_the_docstring_are_taken():
    assert fit(lambda x, W, b: 0)(1, b=3, W=2) == (1, 2, 3)
    assert fit(lambda inp, weights, bias: 0)(x=1, W=2, b=3) == (1, 2, 3)


def test_names_of_the_student_are_taken():
    call = fit(lambda inp, weights, bias: 0)
    assert call(bias=3, weights=2, inp=1) == (1, 2, 3)
    assert call(1, 2, bias=3) == (1, 2, 3)


def test_names_that_change_places_mean_what_the_student_means():
    assert fit(lambda W, x, b: 0)(W=1, x=2, b=3) == (1, 2, 3)


def test_options_are_dropped():
    call = fit(lambda x, W, b, index=0, *, keep=True: 0)
    assert call(1, 2, 3, 4, keep=False) == call(1, 2, 3, index=7) == (1, 2, 3)
    assert fit(lambda *args, **options: 0)(1, 2, 3, 4, keep=False) == (1, 2, 3)


def test_defaults_of_the_student_are_used():
    assert fit(lambda x, W, b=3: 0)(1, 2) == (1, 2, 3)


def test_everything_is_taken_if_nothing_is_known_of_the_students_function():
    assert parameters_of(7) is None
    assert fitted(right, None)(1, 2, 3, 4, b_more=5) == (1, 2, 3)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((1, 2), {}),
        ((1, 2, 3, 4), {}),
        ((1, 2, 3), {"x": 1}),
        ((1, 2, 3), {"inp": 1}),
        ((1, 2, 3), {"other": 1}),
    ],
)
def test_a_call_that_the_students_function_does_not_take_fails(arguments, named):
    with pytest.raises(TypeError):
        fit(lambda inp, weights, bias: 0)(*arguments, **named)


def test_any_callable_stands_in():
    assert fitted(functools.partial(right, 1), None)(2, 3) == (1, 2, 3)
    assert fitted(max, None) is max
