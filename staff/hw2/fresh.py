"""Fresh cases of hw2, answered by the reference, in the place of cases like the visible ones.

Each function has the name of the `Checks` for which it draws. Cases are of the kinds that the
notebook's own show: ranks, types, signs, numbers of layers, and sizes of axes and of numbers.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.checks.fresh import apart_from_zero
from hw_support.homeworks.networks import squashed, waved
from staff.hw2 import reference

Array = npt.NDArray[Any]
Draw = np.random.Generator
Cases = list[tuple[Any, ...]]


def sigmoid_activation(draw: Draw) -> dict[str, Cases]:
    """Return numbers and matrices, numbers far from 0, and integers."""
    near = [apart_from_zero(draw, shape, scale=2) for shape in (5, (4, 3), (2, 1, 3))]
    near += [draw.uniform(-3, 3, n) for n in range(2, 30)]
    far = [draw.choice([-1.0, 1.0], 6) * draw.uniform(30, 900, 6)]
    integers = [draw.integers(1, 9, (3, 1)) * draw.choice([-1, 1], (3, 1))]
    return {
        "": [(x, *reference.sigmoid_activation(x)) for x in near],
        "both far from 0": [(x, *reference.sigmoid_activation(x)) for x in far],
        "both at integers": [(x, *reference.sigmoid_activation(x)) for x in integers],
    }


def logistic_loss(draw: Draw) -> Cases:
    """Return batches with both labels, with one label, and of one example."""
    batches = [(draw.uniform(0.03, 0.8, (7, 1)), labels(draw, 7))]
    batches += [(np.array([[p]]), np.array([k])) for p in (0.002, 0.75) for k in (0, 1)]
    batches += [(draw.uniform(0.03, 0.8, (3, 1)), np.full(3, k)) for k in (0, 1)]
    return [(g, y, *reference.logistic_loss(g, y)) for g, y in batches]


def relu_activation(draw: Draw) -> Cases:
    """Return numbers of both signs, of several sizes and ranks."""
    shapes = [((5,), 50), ((2, 3), 50), ((2, 1, 4), 50), ((9,), 2e-4)]
    inputs = [apart_from_zero(draw, shape, scale) for shape, scale in shapes]
    return [(s, *reference.relu_activation(s)) for s in inputs]


def layer_forward(draw: Draw) -> Cases:
    """Return layers with sizes that differ, that are the same, and that are 1."""
    cases: Cases = []
    for dims, examples in [((3, 5), 4), ((4, 2), 1), ((3, 3), 3), ((1, 1), 2)]:
        x, (W,), (b,) = network(draw, dims, examples)
        cases.append((x, W, 10 * b, waved))  # a bias may be of any size
    return [(*case, reference.layer_forward(*case)[0]) for case in cases]


def forward_pass(draw: Draw) -> Cases:
    """Return networks of one to five layers."""
    cases: Cases = []
    deep = [(3, *[4] * layers, 2) for layers in (1, 2, 3, 4)]
    for dims, examples in [*((dims, 5) for dims in deep), ((3, 2), 6), ((3, 2), 1)]:
        X, Ws, bs = network(draw, dims, examples)
        cases.append((X, Ws, bs, [waved, squashed, waved, waved, waved][: len(Ws)]))
    return [(*case, reference.forward_pass(*case)[0]) for case in cases]


def backward_pass(draw: Draw) -> dict[str, Cases]:
    """Return networks of one to four layers, with one unit at the end.

    The last one, for results alone, has 460,000 parameters. A right answer needs 0.1 s,
    differences of any kind 8 s.
    """
    cases: Cases = []
    small = [((5,), 6), ((5, 3), 6), ((5, 4, 3), 6), ((3, 2), 1), ((2, 4, 3, 3), 1)]
    for dims, examples in [*small, ((390, 390, 390, 390), 1)]:
        X, Ws, bs = network(draw, (*dims, 1), examples)
        activations = [waved] * len(Ws)
        dL_dg = apart_from_zero(draw, (examples, 1))
        right = reference.backward_pass(dL_dg, reference.forward_pass(X, Ws, bs, activations)[1])
        cases.append((X, Ws, bs, activations, dL_dg, *right))
    return {"": cases, "dL_dg is left as it was": cases[:-1]}


def my_nn_finite_difference_checker(draw: Draw) -> Cases:
    """Return networks of one to three layers, with both labels where there are two examples."""
    cases: Cases = []
    for dims, examples in [((2, 3, 1), 4), ((2, 1), 3), ((2, 2, 3, 1), 1)]:
        X, Ws, bs = network(draw, dims, examples)
        activations = [waved] * (len(Ws) - 1) + [squashed]
        case = X, labels(draw, examples), Ws, bs, activations
        cases.append((*case, *reference.my_nn_finite_difference_checker(*case)))
    return cases


def network(
    draw: Draw, dims: Sequence[int], examples: int
) -> tuple[Array, list[Array], list[Array]]:
    """Return a batch (n, d_0), weights (d_{l-1}, d_l) and biases (1, d_l).

    Inputs and biases are of order 1. The weights are scaled so that a layer's sums are too.
    """
    weights = [apart_from_zero(draw, (d, e), scale=d**-0.5) for d, e in pairwise(dims)]
    biases = [apart_from_zero(draw, (1, d)) for d in dims[1:]]
    return apart_from_zero(draw, (examples, dims[0])), weights, biases


def labels(draw: Draw, examples: int) -> Array:
    """Return labels 0 and 1 in a random order, both of them, for two examples or more."""
    return draw.permutation(np.arange(examples) % 2)
