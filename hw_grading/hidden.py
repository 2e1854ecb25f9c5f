"""Checks that hidden tests share: on random networks, against the student's own functions.

Each takes the student's functions as arguments and raises `hw_support.Mismatch`. Inputs are drawn
from a fixed seed: every submission gets the same ones. Activations are smooth, so that no draw
can lie on a kink.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_grading.differences import per_example_gradients
from hw_support import assert_close, expect

Array = npt.NDArray[np.float64]


def bent(s: Array) -> tuple[Array, Array]:
    """Return a smooth activation that no course teaches, and its derivative."""
    return np.tanh(s) + 0.5 * s, 1.5 - np.tanh(s) ** 2


def squashed(s: Array) -> tuple[Array, Array]:
    """Return numbers well inside (0, 1), to stand for probabilities, and their derivative."""
    return 0.5 + 0.4 * np.tanh(s), 0.4 * (1.0 - np.tanh(s) ** 2)


def random_network(dims: Sequence[int], examples: int) -> tuple[Array, list[Array], list[Array]]:
    """Draw a batch (n, d_0), weights (d_{l-1}, d_l) and biases (1, d_l), all of order 1."""
    draw = np.random.default_rng([len(dims), *dims])
    weights = [draw.normal(size=(d, e)) for d, e in pairwise(dims)]
    biases = [draw.normal(size=(1, e)) for e in dims[1:]]
    return draw.normal(size=(examples, dims[0])), weights, biases


def check_backward_pass(
    forward_pass: Callable[..., Any], backward_pass: Callable[..., Any], dims: Sequence[int]
) -> None:
    """Check the gradients of one network with layer sizes `dims`, for six examples."""
    X, weights, biases = random_network(dims, examples=6)
    upstream = np.random.default_rng(6).normal(size=(6, dims[-1]))
    activations = [bent] * len(weights)

    def weighted_outputs(weights: list[Array], biases: list[Array]) -> Any:
        output, _ = forward_pass(X, weights, biases, activations)
        weighted: Array = upstream * np.reshape(output, upstream.shape)
        return weighted.sum(axis=1)

    right_Ws, right_bs = per_example_gradients(weighted_outputs, weights, biases)
    _, caches = forward_pass(X, weights, biases, activations)
    grad_Ws, grad_bs = backward_pass(upstream.copy(), caches)
    _compare(grad_Ws, grad_bs, right_Ws, right_bs, rtol=1e-6, atol=1e-8)


def check_finite_differences(
    checker: Callable[..., Any], forward_pass: Callable[..., Any], logistic_loss: Callable[..., Any]
) -> None:
    """Check `my_nn_finite_difference_checker` on four examples, three layers and both labels.

    A one-sided difference with h = 1e-5 errs by about 1e-5 times the second derivative; 1e-3
    takes either kind, and no wrong formula comes that near.
    """
    X, weights, biases = random_network([3, 5, 2, 1], examples=4)
    y, activations = np.array([0, 1, 1, 0]), [bent, bent, squashed]

    def losses(weights: list[Array], biases: list[Array]) -> Array:
        g, _ = forward_pass(X, weights, biases, activations)
        return np.ravel(logistic_loss(g, y)[0])

    before = [p.copy() for p in (*weights, *biases)]
    right_Ws, right_bs = per_example_gradients(losses, weights, biases)
    grad_Ws, grad_bs = checker(X, y, weights, biases, activations)
    _compare(grad_Ws, grad_bs, right_Ws, right_bs, rtol=1e-3, atol=1e-5)
    for now, then in zip((*weights, *biases), before, strict=True):
        assert_close(now, then, rtol=1e-9, what="a parameter after the call")


def _compare(
    grad_Ws: Any,
    grad_bs: Any,
    right_Ws: list[Array],
    right_bs: list[Array],
    rtol: float,
    atol: float,
) -> None:
    for name, got, right in (("grad_Ws", grad_Ws, right_Ws), ("grad_bs", grad_bs, right_bs)):
        expect(len(got) == len(right), f"{name} has {len(got)} entries, {len(right)} expected")
        for layer, (mine, wanted) in enumerate(zip(got, right, strict=True)):
            assert_close(mine, wanted, what=f"{name}[{layer}]", rtol=rtol, atol=atol)
