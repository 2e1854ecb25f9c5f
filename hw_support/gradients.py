"""Compare the gradients of each example: shapes, values and means in separate checks.

So one gradient for the whole batch, or a missing axis of length 1, costs points in one part only.
"""

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support import attempts as _attempts
from hw_support.checks import Checks
from hw_support.compare import Mismatch, as_numbers, assert_close, expect, relative_errors

Array = npt.NDArray[Any]

_RTOL, _ATOL = 1e-4, 1e-5


@dataclass(frozen=True)
class OwnGradients:
    """The gradients from the notebook's own ``backward_pass``; empty if they are unusable."""

    grad_Ws: list[Array] = field(default_factory=list)  # of any shapes
    grad_bs: list[Array] = field(default_factory=list)
    of_batch: bool = False  # whether they are the batch's mean or sum, not each example's


def own_gradients(
    checks: Checks, X: Array, y: Array, parameters: Sequence[Sequence[Array]], activations: str
) -> OwnGradients:
    """Return the gradients from the notebook's ``backward_pass``.

    They are those of a batch X (n, d_0) of two examples or more with labels y (n,), for weights and
    biases, two lists. `activations` is the name of the notebook's list of them.
    """
    copies = [[np.array(p) for p in one] for one in parameters]
    try:
        with (
            checks.notebook.limited(_attempts.CPU_SECONDS, _attempts.WALL_SECONDS),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),  # nbgrader would score 0 for output there
        ):
            g, caches = checks.names["forward_pass"](
                X.copy(), *copies, [*checks.names[activations]]
            )
            _, dL_dg = checks.names["logistic_loss"](np.array(g), y.copy())
            pair = [*checks.names["backward_pass"](dL_dg, caches)][:2]
            grad_Ws, grad_bs = ([as_numbers(a, what="a gradient") for a in one] for one in pair)
    except KeyboardInterrupt:
        raise
    except BaseException:  # student code may raise anything; its own tests report it
        return OwnGradients()
    sizes = [np.size(p) for one in parameters for p in one]
    return OwnGradients(grad_Ws, grad_bs, [g.size for g in (*grad_Ws, *grad_bs)] == sizes)


def expect_shapes(
    gradients: Any, parameters: Sequence[Array], n: int, *, what: str, like: Sequence[Array] = ()
) -> None:
    """Expect, for each of L weights or biases, a gradient ``(n, *parameter.shape)``.

    `what` is the name of the gradients in a message, as in the functions below. A shape as in
    `like`, gradients from the notebook's own ``backward_pass``, is accepted too: if it is wrong, it
    costs points in the test of that function. `Mismatch` if a shape or the number of arrays is
    wrong.
    """
    for layer, (name, gradient, parameter) in enumerate(_named(gradients, parameters, what)):
        if layer < len(like) and gradient.shape == like[layer].shape:
            continue
        shape = (n, *parameter.shape)
        message = f"{name} has shape {gradient.shape}; {shape} was expected"
        if gradient.shape == shape[1:]:
            message += ": a gradient for each example, not one for the batch"
        expect(gradient.shape == shape, message)


def expect_each(
    gradients: Any,
    right: Sequence[npt.ArrayLike],
    *,
    what: str,
    rtol: float = _RTOL,
    atol: float = _ATOL,
    of_batch: bool = False,
) -> None:
    """Expect the right values (n, ...) for each example; an axis of length 1 may be missing.

    If `of_batch`, their mean or sum is accepted too: when the notebook's own ``backward_pass``
    gives that, it has cost points there already. `Mismatch` if a value, or the number of arrays or
    entries, is wrong. For `rtol` and `atol` see `assert_close`.
    """
    for name, gradient, values in _named(gradients, right, what):
        due = np.asarray(values, dtype=float)
        if of_batch and gradient.size == due[0].size != due.size:
            _expect_mean(gradient, due, name, rtol, atol)
        else:
            assert_close(_fitting(gradient, due), due, what=name, rtol=rtol, atol=atol)


def expect_means(gradients: Any, right: Sequence[npt.ArrayLike], *, what: str) -> None:
    """Expect the means over the batch of the right values (n, ...), as `expect_each` does.

    The gradients may be those of each example, or their mean or sum.
    """
    for name, gradient, values in _named(gradients, right, what):
        _expect_mean(gradient, np.asarray(values, dtype=float), name, _RTOL, _ATOL)


def largest_errors(one: Sequence[Sequence[Any]], other: Sequence[Sequence[Any]]) -> Array:
    """Return the largest relative error of gradients, by each usual definition, as an array.

    `one` and `other` are lists of two lists each, of weights and of biases. If shapes differ, one
    kind is wrong, which costs points elsewhere. Then axes of length 1 are left out, and means and
    sums over the examples are compared, with the layers in both orders. So the array is longer.
    `Mismatch` if no pair of arrays can be compared in this way.
    """
    found: list[float] = []
    for turn in (1, -1):
        for reduced in (np.mean, np.sum):
            with contextlib.suppress(ValueError):  # these shapes differ
                errors = [
                    relative_errors(*_alike(a, b, reduced))
                    for mine, theirs in zip(one, other, strict=True)
                    for a, b in zip(mine[::turn], theirs, strict=True)
                ]
                found += map(max, zip(*errors, strict=True))
        if found:
            return np.array(found)
    raise Mismatch("the two kinds of gradients have shapes that cannot be compared")


def _alike(a: Any, b: Any, reduced: Callable[..., Any]) -> tuple[Array, Array]:
    """Return two gradients in one shape, if one is `reduced` over the examples and one is not."""
    a, b = (np.squeeze(as_numbers(array, what="a gradient")) for array in (a, b))
    if a.ndim > b.ndim:
        a = reduced(a, axis=0)
    elif b.ndim > a.ndim:
        b = reduced(b, axis=0)
    return a, b


def _expect_mean(gradient: Array, due: Array, name: str, rtol: float, atol: float) -> None:
    mean = due.mean(axis=0)
    got = _fitting(gradient, due if gradient.size == due.size else mean)
    if got.shape == due.shape:
        got = got.mean(axis=0)
    elif got.shape == mean.shape:
        with contextlib.suppress(Mismatch):
            assert_close(got, due.sum(axis=0), rtol=rtol, atol=atol)
            return
    else:
        assert_close(gradient, due, what=name, rtol=rtol, atol=atol)
    assert_close(got, mean, what=f"the mean of {name}", rtol=rtol, atol=atol)


def _fitting(gradient: Array, due: Array) -> Array:
    """Reshape a gradient like `due` if the shapes differ only in axes of length 1."""
    if [s for s in gradient.shape if s != 1] == [s for s in due.shape if s != 1]:
        return gradient.reshape(due.shape)
    return gradient


def _named(
    gradients: Any, right: Sequence[npt.ArrayLike], what: str
) -> Iterator[tuple[str, Array, Any]]:
    """Yield each gradient with its name and what belongs to it."""
    count = len(right)
    expect(gradients is not None, f"{what} is None. Is a `return` missing?")
    entries = list(islice(gradients, count + 1))
    more = "at least " if len(entries) > count else ""
    expect(len(entries) == count, f"{what} has {more}{len(entries)} entries; {count} expected")
    numbers = [as_numbers(entry, what=f"{what}[{n}]") for n, entry in enumerate(entries)]
    for n, (gradient, due) in enumerate(zip(numbers, right, strict=True)):
        yield f"{what}[{n}]", gradient, due
