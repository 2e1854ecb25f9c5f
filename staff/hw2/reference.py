"""A second version of the functions of hw2, independent of the notebook's solutions.

Hidden tests compare results with these, and replace functions that the tested one calls by them.
They are checked against automatic differentiation in ``tests/grading/test_reference.py``. Plain
formulas come before speed: one example at a time, and sums written out where that is clearer.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Activation = Callable[[Array], tuple[Array, Array]]


def sigmoid_activation(x: npt.ArrayLike) -> tuple[Array, Array]:
    """Return the sigmoid and its derivative, for any shape, number by number."""
    values = np.asarray(x, dtype=float)
    out, grad = np.empty(values.shape), np.empty(values.shape)
    for index in np.ndindex(values.shape):
        t = math.exp(-abs(values[index]))
        out[index] = (1.0 if values[index] >= 0 else t) / (1.0 + t)
        grad[index] = t / ((1.0 + t) * (1.0 + t))
    return out, grad


def relu_activation(s: npt.ArrayLike) -> tuple[Array, Array]:
    """Return max(0, s) and its derivative, taken as 0 at 0, for any shape."""
    values = np.asarray(s, dtype=float)
    positive = np.heaviside(values, 0.0)
    return values * positive, positive


def logistic_loss(g: Array, y: Array) -> tuple[Array, Array]:
    """Return the loss of each example and its derivative by g, both (n, 1)."""
    loss, slope = np.empty((len(g), 1)), np.empty((len(g), 1))
    for i, (probability, label) in enumerate(zip(np.ravel(g), np.ravel(y), strict=True)):
        if label:
            loss[i, 0], slope[i, 0] = -math.log(probability), -1.0 / probability
        else:
            loss[i, 0], slope[i, 0] = -math.log1p(-probability), 1.0 / (1.0 - probability)
    return loss, slope


def layer_forward(x: Array, W: Array, b: Array, activation_fn: Activation) -> tuple[Array, Any]:
    """Return activation_fn(x W + b), (n, d'), and a cache for `backward_pass`."""
    s = np.einsum("...nd,...de->...ne", x, W) + b  # stacks of networks too
    out, slope = activation_fn(s)
    return np.asarray(out), {"input": np.array(x), "weights": np.array(W), "slope": slope}


def forward_pass(
    X_batch: Array,
    weight_matrices: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
) -> tuple[Array, list[Any]]:
    """Return the output of the last layer, (n, d_L), and the caches, first layer first."""
    return chain(layer_forward, X_batch, weight_matrices, biases, activations)


def chain(
    layer: Callable[..., tuple[Array, Any]],
    X_batch: Array,
    weight_matrices: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
) -> tuple[Array, list[Any]]:
    """Run layers one after another, each by `layer`; return the output and the caches."""
    out, caches = X_batch, []
    for i, W in enumerate(weight_matrices):
        out, cache = layer(out, W, biases[i], activations[i])
        caches.append(cache)
    return out, caches


def backward_pass(dL_dg: Array, layer_caches: Sequence[Any]) -> tuple[list[Array], list[Array]]:
    """Return each example's gradients, (n, d_{l-1}, d_l) and (n, 1, d_l), first layer first."""
    upstream, grad_Ws, grad_bs = np.asarray(dL_dg), [], []
    for cache in layer_caches[::-1]:
        delta = upstream * cache["slope"]
        grad_Ws.append(np.einsum("nd,ne->nde", cache["input"], delta))
        grad_bs.append(delta.reshape(len(delta), 1, -1))
        upstream = np.einsum("ne,de->nd", delta, cache["weights"])
    return grad_Ws[::-1], grad_bs[::-1]


def differences(
    X_batch: Array,
    y_batch: Array,
    weight_matrices: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
) -> tuple[list[Array], list[Array]]:
    """Return each example's gradients as `backward_pass` does, by central differences."""
    parameters, layers = [*weight_matrices, *biases], len(weight_matrices)

    def losses(moved: int, index: tuple[int, ...], h: float) -> Array:
        at = [np.array(p, dtype=float) for p in parameters]
        at[moved][index] += h
        g, _ = forward_pass(X_batch, at[:layers], at[layers:], activations)
        return logistic_loss(g, y_batch)[0].ravel()

    gradients = []
    for i, parameter in enumerate(parameters):
        gradient = np.empty((len(X_batch), *np.shape(parameter)))
        for index in np.ndindex(*np.shape(parameter)):
            change = losses(i, index, 1e-5) - losses(i, index, -1e-5)
            gradient[(slice(None), *index)] = change / 2e-5
        gradients.append(gradient)
    return gradients[:layers], gradients[layers:]
