"""The reference of hw2: a second version of its functions, in the order of the notebook.

Fresh cases expect what these return. In a second try they replace the functions that the notebook
has above the tested one. They are checked against automatic differentiation in
``tests/grading/test_reference.py``. Plain formulas come before speed.
"""

import copy
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.checks.time_limit import TimeLimitReached

Array = npt.NDArray[Any]
Activation = Callable[[Array], tuple[Array, Array]]
Gradients = tuple[list[Array], list[Array]]
Network = tuple[Sequence[Array], Sequence[Array], Sequence[Activation]]  # weights, biases, ...


def sigmoid_activation(x: npt.ArrayLike) -> tuple[Array, Array]:
    """Return the sigmoid and its derivative, for any shape, number by number."""
    values = np.asarray(x, dtype=float)
    out, grad = np.empty(values.shape), np.empty(values.shape)
    for index in np.ndindex(values.shape):
        t = math.exp(-abs(values[index]))
        out[index] = (1.0 if values[index] >= 0 else t) / (1.0 + t)
        grad[index] = t / ((1.0 + t) * (1.0 + t))
    return out, grad


def logistic_loss(g: Array, y: Array) -> tuple[Array, Array]:
    """Return the loss of each example and its derivative by g, both (n, 1)."""
    loss, slope = np.empty((len(g), 1)), np.empty((len(g), 1))
    for i, (probability, label) in enumerate(zip(np.ravel(g), np.ravel(y), strict=True)):
        inside = min(max(float(probability), 1e-15), 1.0 - 1e-15)
        if label:
            loss[i, 0], slope[i, 0] = -math.log(inside), -1.0 / inside
        else:
            loss[i, 0], slope[i, 0] = -math.log1p(-inside), 1.0 / (1.0 - inside)
    return loss, slope


def relu_activation(s: npt.ArrayLike) -> tuple[Array, Array]:
    """Return max(0, s) and its derivative, taken as 0 at 0, for any shape."""
    values = np.asarray(s, dtype=float)
    positive = np.heaviside(values, 0.0)
    return values * positive, positive


def layer_forward(x: Array, W: Array, b: Array, activation_fn: Activation) -> tuple[Array, Any]:
    """Return activation_fn(x W + b), (n, d'), and the cache that the notebook recommends."""
    out, slope = activation_fn(np.einsum("nd,de->ne", x, W) + b)
    return np.asarray(out), (np.array(x), np.array(W), slope)


def create_weight_matrices(layer_dims: Sequence[int]) -> list[Array]:
    """Return independent N(0, 0.01**2) weights (d_{l-1}, d_l) for all layers."""
    return [np.random.default_rng().normal(0.0, 0.01, shape) for shape in pairwise(layer_dims)]


def create_bias_vectors(layer_dims: Sequence[int]) -> list[Array]:
    """Return independent N(0, 0.01**2) biases (1, d_l) for all layers."""
    return [np.random.default_rng().normal(0.0, 0.01, (1, d)) for d in layer_dims[1:]]


def forward_pass(
    X_batch: Array,
    weight_matrices: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
) -> tuple[Array, list[Any]]:
    """Return the output of the last layer, (n, d_L), and the caches, first layer first."""
    return _chain(layer_forward, X_batch, weight_matrices, biases, activations)


def _chain(
    layer: Callable[..., tuple[Array, Any]], X_batch: Array, *network: Sequence[Any]
) -> tuple[Array, list[Any]]:
    """Run layers one after another, each by `layer`; return the output and the caches."""
    out, caches = X_batch, []
    for W, b, activation in zip(*network, strict=True):
        out, cache = layer(out, W, b, activation)
        caches.append(cache)
    return out, caches


def backward_pass(dL_dg: Array, layer_caches: Sequence[Any]) -> Gradients:
    """Return each example's gradients, (n, d_{l-1}, d_l) and (n, 1, d_l), first layer first."""
    upstream, grad_Ws, grad_bs = np.asarray(dL_dg), [], []
    for x, W, slope in layer_caches[::-1]:
        delta = upstream.reshape(np.shape(slope)) * slope
        grad_Ws.append(np.einsum("nd,ne->nde", x, delta))
        grad_bs.append(delta.reshape(len(delta), 1, -1))
        upstream = np.einsum("ne,de->nd", delta, W)
    return grad_Ws[::-1], grad_bs[::-1]


def my_nn_finite_difference_checker(
    X_batch: Array,
    y_batch: Array,
    weight_matrices: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
) -> Gradients:
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


def _is_recommended(cache: Any, x: Array, W: Array) -> bool:
    """Whether a cache has the layout of the recommended one: x, W and a third entry."""
    if not issubclass(type(cache), tuple | list) or len(cache) != 3:
        return False
    pairs = zip(cache, (x, W), strict=False)
    return all(issubclass(type(a), np.ndarray) and np.array_equal(a, b) for a, b in pairs)


def _copied(cache: Any) -> Any:
    """Return a copy of a cache, for calls that all fill one object; the cache if it has none."""
    try:
        return copy.deepcopy(cache)
    except Exception:
        return cache


def second_try(own: Callable[[str], Any]) -> dict[str, Callable[..., Any]]:
    """Return the functions whose caches the notebook's own ``layer_forward`` makes.

    A cache is the student's own business, and only the student's code reads it. So ``forward_pass``
    returns right outputs, with caches of the student's. Where the output of that function is wrong,
    it gets an activation that returns what is right for any sum. Where it is wrong even so, its
    cache may be wrong as well: the recommended one replaces a cache of this layout, and a mere
    array. Where the function raises an error even so, the cache is the recommended one.
    """
    made_by = own("layer_forward")
    failures = 0  # after ten it is not called again: an endless recursion takes long
    passes: list[tuple[int, list[Any]]] = []  # examples and caches of each pass, the last one first

    def layer(x: Array, W: Array, b: Array, activation_fn: Activation) -> tuple[Array, Any]:
        nonlocal failures
        right, recommended = layer_forward(x, W, b, activation_fn)

        def frozen(s: Array) -> tuple[Array, Array]:  # right, whatever the sum is
            return (right, recommended[2]) if np.shape(s) == right.shape else activation_fn(s)

        caches = []
        for activation in (activation_fn, frozen) if failures < 10 else ():
            try:
                out, cache = made_by(np.array(x), np.array(W), np.array(b), activation)
                caches.append(_copied(cache))
                if np.shape(out) == right.shape and np.allclose(out, right, rtol=1e-5):
                    return right, caches[-1]
            except (KeyboardInterrupt, TimeLimitReached):
                raise
            except BaseException:  # student code may raise anything; its own test reports it
                continue
        failures += not caches
        *_, last = [recommended, *caches]
        is_array = issubclass(type(last), np.ndarray)
        return right, recommended if is_array or _is_recommended(last, x, W) else last

    def forward(X_batch: Array, *network: Sequence[Any]) -> tuple[Array, list[Any]]:
        passes.insert(0, (len(X_batch), forward_pass(X_batch, *network)[1]))
        del passes[4:]
        return _chain(layer, X_batch, *network)

    def backward(dL_dg: Array, layer_caches: Any) -> Gradients:
        # The caches of the last pass with as many examples: it cannot read the student's.
        mine = next(caches for n, caches in passes if n == len(dL_dg))
        return backward_pass(np.reshape(dL_dg, (-1, 1)), mine)

    return {"layer_forward": layer, "forward_pass": forward, "backward_pass": backward}
