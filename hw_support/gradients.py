"""Compare the gradients of each example: shapes, values and means in separate checks.

One gradient for the whole batch, or a missing axis of length 1, is a single mistake. With these
functions it costs points in one part of a test only.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support import attempts as _attempts
from hw_support.checks import Checks
from hw_support.compare import Mismatch, as_numbers, assert_close, expect

Array = npt.NDArray[Any]

__all__ = ["OwnGradients", "expect_each", "expect_means", "expect_shapes", "own_gradients"]


@dataclass(frozen=True)
class OwnGradients:
    """The gradients from the notebook's own ``backward_pass``; empty if they are unusable.

    Attributes
    ----------
    grad_Ws, grad_bs : list of ndarray
        The gradients, in any shapes.
    of_batch : bool
        Whether they are the batch's mean or sum, instead of each example's gradients.
    """

    grad_Ws: list[Array] = field(default_factory=list)
    grad_bs: list[Array] = field(default_factory=list)
    of_batch: bool = False


def own_gradients(
    checks: Checks,
    X: Array,
    y: Array,
    parameters: Sequence[Sequence[Array]],
    activations: str,
) -> OwnGradients:
    """Return the gradients from the notebook's ``backward_pass``.

    Parameters
    ----------
    checks
        The checks of the test cell. They give access to the notebook's names.
    X, y
        A batch (n, d_0) of two examples or more, and its labels (n,).
    parameters
        Weights and biases, two lists.
    activations
        The name of the notebook's list of activations.
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
            pair = checks.names["backward_pass"](dL_dg, caches)
            grad_Ws, grad_bs = ([as_numbers(a, what="a gradient") for a in one] for one in pair)
    except KeyboardInterrupt:
        raise
    except BaseException:  # student code may raise anything; its own tests report it
        return OwnGradients()
    sizes = [np.size(p) for one in parameters for p in one]
    return OwnGradients(grad_Ws, grad_bs, [g.size for g in (*grad_Ws, *grad_bs)] == sizes)


def expect_shapes(
    gradients: Any,
    parameters: Sequence[Array],
    n: int,
    *,
    what: str,
    like: Sequence[Array] = (),
) -> None:
    """Expect, for each parameter, a gradient for each of `n` examples.

    Parameters
    ----------
    gradients
        The result: L arrays.
    parameters
        L arrays, weights or biases; a gradient has shape ``(n, *parameter.shape)``.
    what
        The name that a message gives them, ``"grad_Ws"``.
    like
        Gradients from the notebook's own `backward_pass`. Their shapes are accepted too: if these
        are wrong, they cost points in the test of `backward_pass`.

    Raises
    ------
    Mismatch
        The number of arrays, or a shape, is wrong.
    """
    for layer, (name, gradient) in enumerate(_named(gradients, len(parameters), what)):
        if layer < len(like) and gradient.shape == like[layer].shape:
            continue
        shape = (n, *parameters[layer].shape)
        message = f"{name} has shape {gradient.shape}; {shape} was expected"
        if gradient.shape == shape[1:]:
            message += ": a gradient for each example, not one for the batch"
        expect(gradient.shape == shape, message)


def expect_each(
    gradients: Any,
    right: Sequence[npt.ArrayLike],
    *,
    what: str,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    of_batch: bool = False,
) -> None:
    """Expect the right values for each example; an axis of length 1 may be missing.

    Parameters
    ----------
    gradients
        The result: L arrays.
    right
        L arrays (n, ...).
    what
        The name that a message gives them.
    rtol, atol
        As for `assert_close`.
    of_batch
        Whether to accept the mean or sum of the right gradients too. If the notebook's own
        `backward_pass` gives that, it has cost points there already.

    Raises
    ------
    Mismatch
        The number of arrays or entries, or a value, is wrong.
    """
    for layer, (name, gradient) in enumerate(_named(gradients, len(right), what)):
        due = np.asarray(right[layer], dtype=float)
        if of_batch and gradient.size == due[0].size != due.size:
            _expect_mean(gradient, due, name, rtol, atol)
        else:
            assert_close(_fitting(gradient, due), due, what=name, rtol=rtol, atol=atol)


def expect_means(
    gradients: Any,
    right: Sequence[npt.ArrayLike],
    *,
    what: str,
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> None:
    """Expect the right means over the batch.

    Parameters
    ----------
    gradients
        The result: L arrays, for each example or for the batch (mean or sum).
    right
        L arrays (n, ...), with a gradient for each example.
    what
        The name that a message gives them.
    rtol, atol
        As for `assert_close`.

    Raises
    ------
    Mismatch
        The number of arrays or entries, or a mean, is wrong.
    """
    for layer, (name, gradient) in enumerate(_named(gradients, len(right), what)):
        _expect_mean(gradient, np.asarray(right[layer], dtype=float), name, rtol, atol)


def _expect_mean(gradient: Array, due: Array, name: str, rtol: float, atol: float) -> None:
    mean = due.mean(axis=0)
    if gradient.size == due.size:
        got = _fitting(gradient, due)
        if got.shape == due.shape:
            got = got.mean(axis=0)
        assert_close(got, mean, what=f"the mean of {name}", rtol=rtol, atol=atol)
        return
    got = _fitting(gradient, mean)
    try:
        assert_close(got, due.sum(axis=0), rtol=rtol, atol=atol)
    except Mismatch:
        assert_close(got, mean, what=f"the mean of {name}", rtol=rtol, atol=atol)


def _fitting(gradient: Array, due: Array) -> Array:
    """Reshape a gradient like `due` if the shapes differ only in axes of length 1."""
    if [s for s in gradient.shape if s != 1] == [s for s in due.shape if s != 1]:
        return gradient.reshape(due.shape)
    return gradient


def _named(gradients: Any, count: int, what: str) -> list[tuple[str, Array]]:
    expect(gradients is not None, f"{what} is None. Is a `return` missing?")
    entries = list(islice(gradients, count + 1))
    more = "at least " if len(entries) > count else ""
    expect(len(entries) == count, f"{what} has {more}{len(entries)} entries; {count} expected")
    return [
        (f"{what}[{layer}]", as_numbers(entry, what=f"{what}[{layer}]"))
        for layer, entry in enumerate(entries)
    ]
