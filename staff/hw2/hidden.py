"""What hidden tests share: activations, stand-ins for what a function depends on, and comparisons.

A bug is to be charged once. So a function is tested with the right version of whatever it calls.
Where the interface is the student's own (the caches, which only the student's `backward_pass` can
read), the stand-in gives right outputs together with the student's own caches.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support import Checks, Mismatch, as_numbers, assert_close, expect
from hw_support.checks import notebook_of
from hw_support.time_limit import TimeLimitReached
from staff.hw2 import fresh, reference

Array = npt.NDArray[Any]


def bent(s: Array) -> tuple[Array, Array]:
    """Return a smooth activation that no course teaches, and its derivative."""
    return np.tanh(s) + 0.5 * s, 1.5 - np.tanh(s) ** 2


def squashed(s: Array) -> tuple[Array, Array]:
    """Return numbers well inside (0, 1), to stand for probabilities, and their derivative.

    An arctan, since its slope dies off slowly: differences stay accurate far out too.
    """
    return 0.5 + 0.25 * np.arctan(s), 0.25 / (1.0 + s**2)


def lying(activation: reference.Activation) -> reference.Activation:
    """Return the activation with a derivative that is wrong: who measures does not notice."""
    return lambda s: (activation(s)[0], np.full_like(s, 7.0))


# -- stand-ins


def let_limits_through(error: BaseException) -> None:
    """Raise again what ends a part or a cell; SystemExit and its like are student code's."""
    if isinstance(error, KeyboardInterrupt | TimeLimitReached):
        raise error


def layer_with_own_cache(names: dict[str, Any]) -> Callable[..., tuple[Array, Any]]:
    """Return a right layer_forward whose caches are made by the student's own.

    The student's function is called with an activation that gives the right values whatever it is
    applied to (and whatever its name), so that a mistake in the sum before it does not reach the
    cache. What it does to its inputs is undone, since the cache may hold them. Where it fails the
    cache is the reference's.
    """
    own, notebook = names.get("layer_forward"), notebook_of(names)

    def layer(x: Array, W: Array, b: Array, activation_fn: Any) -> tuple[Array, Any]:
        right, cache = reference.layer_forward(x, W, b, activation_fn)
        slope = cache["slope"]

        def frozen(s: Array) -> tuple[Array, Array]:
            return right.copy(), np.copy(slope)

        copies = [np.array(x), np.array(W), np.array(b)]
        usual = dict.fromkeys(("relu_activation", "sigmoid_activation"), frozen)
        try:
            with notebook.replaced(layer_forward=own, **usual):
                answer: Any = notebook.undoing(own, *copies, frozen)  # type: ignore[arg-type]
                _, own_cache = answer
        except BaseException as error:
            let_limits_through(error)
            return right, cache
        return right, own_cache

    return layer


def forward_with_own_caches(
    names: dict[str, Any], layer: Callable[..., tuple[Array, Any]]
) -> Callable[..., tuple[Array, Any]]:
    """Return a right forward_pass: the student's where it is right, else `layer` in a chain."""
    own = names.get("forward_pass")

    def forward(
        X_batch: Array, weight_matrices: Any, biases: Any, activations: Any
    ) -> tuple[Array, Any]:
        network = X_batch, weight_matrices, biases, activations
        right, _ = reference.forward_pass(*network)
        arrays = ([np.array(p) for p in parameters] for parameters in (weight_matrices, biases))
        copies = X_batch.copy(), *arrays, list(activations)
        try:
            with notebook_of(names).replaced(forward_pass=own):  # which may call itself
                output, caches = own(*copies)  # type: ignore[misc]
            assert_close(output, right)
            check_caches(names, caches, len(weight_matrices), right)
        except BaseException as error:
            let_limits_through(error)
            return reference.chain(layer, *network)
        return output, caches

    return forward


def check_caches(names: dict[str, Any], caches: Any, layers: int, output: Array) -> None:
    """Expect one cache for each layer, or any layout that the student's backward_pass can read."""
    if isinstance(caches, list | tuple) and len(caches) == layers:
        return
    try:
        grad_Ws, grad_bs = names["backward_pass"](np.ones_like(output), caches)
        good = len(grad_Ws) == len(grad_bs) == layers
    except BaseException as error:
        let_limits_through(error)
        good = False
    expect(good, "the caches are not one for each layer, and backward_pass cannot read them")


def stand_in_for_forward(checks: Checks) -> None:
    """Let forward_pass meet a right layer_forward, with the student's own caches."""
    checks.replace(layer_forward=layer_with_own_cache(checks.names))


def stand_in_for_backward(checks: Checks) -> None:
    """Let backward_pass meet right outputs, and caches of the student's own making."""
    layer = layer_with_own_cache(checks.names)
    forward = forward_with_own_caches(checks.names, layer)
    checks.replace(layer_forward=layer, forward_pass=forward)


def stand_in_for_differences(checks: Checks) -> None:
    """Let my_nn_finite_difference_checker meet right functions, and no backward_pass."""
    right = [reference.relu_activation, reference.sigmoid_activation]
    checks.replace(
        layer_forward=reference.layer_forward,
        forward_pass=reference.forward_pass,
        logistic_loss=loss_shaped_like(checks.names.get("logistic_loss")),
        relu_activation=right[0],
        sigmoid_activation=right[1],
        ref_activations=right,
        backward_pass=refuse,
    )


def refuse(*_: Any, **__: Any) -> None:
    """Stand where backward_pass stands, for a function that has to do without it."""
    message = "it calls backward_pass; gradients are to be measured, by differences of losses"
    raise Mismatch(message, message)


def loss_shaped_like(own: Any) -> Callable[[Array, Array], tuple[Array, Array]]:
    """Return a right logistic_loss with losses (n,) or (n, 1), as the student's own has them.

    Its derivative is NaN, which no finite difference looks at.
    """
    try:
        flat = np.ndim(own(np.array([[0.5], [0.25]]), np.array([0, 1]))[0]) == 1
    except BaseException as error:
        let_limits_through(error)
        flat = False

    def logistic_loss(g: Array, y: Array) -> tuple[Array, Array]:
        loss, slope = reference.logistic_loss(g, y)
        return (loss.ravel() if flat else loss), np.full_like(slope, np.nan)

    return logistic_loss


# -- comparisons


def check_backward_pass(
    names: dict[str, Any], dims: Sequence[int], examples: int = 6, outputs: int = 1
) -> None:
    """Check all gradients of a random network with layer sizes `dims` and then `outputs` units."""
    draw = fresh.generator(f"backward_pass {dims} {examples}")
    X, weights, biases = fresh.network(draw, [*dims, outputs], examples)
    upstream = fresh.apart_from_zero(draw, (examples, outputs))
    network = X, weights, biases, [bent] * len(weights)
    right = reference.backward_pass(upstream, reference.forward_pass(*network)[1])
    given = upstream.copy()
    grads = names["backward_pass"](given, names["forward_pass"](*network)[1])
    compare_gradients(grads, right, rtol=1e-6, atol=1e-9)
    assert_close(given, upstream, what="dL_dg after the call")


def check_finite_differences(names: dict[str, Any], dims: Sequence[int], examples: int) -> None:
    """Check `my_nn_finite_difference_checker` on a random network, with both labels.

    A one-sided difference with h = 1e-5 errs by h / 2 times the second derivative, which is at most
    a few hundred times the first here: 1e-3 takes either kind, and no wrong formula comes near.
    """
    draw = fresh.generator(f"differences {dims} {examples}")
    X, weights, biases = fresh.network(draw, dims, examples)
    y, activations = fresh.labels(draw, examples), [bent] * (len(dims) - 2) + [squashed]
    g, caches = reference.forward_pass(X, weights, biases, activations)
    right = reference.backward_pass(reference.logistic_loss(g, y)[1], caches)

    before = [p.copy() for p in (*weights, *biases)]
    liars = [lying(activation) for activation in activations]
    grads = names["my_nn_finite_difference_checker"](X, y, weights, biases, liars)
    scale = max(np.abs(gradient).max() for gradient in (*right[0], *right[1]))
    compare_gradients(grads, right, rtol=1e-3, atol=1e-4 * scale)
    for now, then in zip((*weights, *biases), before, strict=True):
        assert_close(now, then, rtol=1e-9, what="a parameter after the call")


def loss_is_right(logistic_loss: Any) -> bool:
    """Whether the student's losses are right, on four examples with both labels."""
    g, y = np.array([[0.2], [0.7], [0.4], [0.9]]), np.array([1, 0, 0, 1])
    try:
        loss = logistic_loss(g, y)[0]
        assert_close(loss, reference.logistic_loss(g, y)[0], rtol=1e-6, flat_ok=True)
    except BaseException as error:
        let_limits_through(error)
        return False
    return True


def right_figures(names: dict[str, Any], X: Array, y: Array) -> tuple[float, float]:
    """Return accuracy and mean loss on images (n, 28, 28) of the network that training left behind.

    They are computed without any function of the student's.
    """
    for name in ("weight_matrices", "biases"):
        expect(name in names, f"there is no {name}: did the training cell run to its end?")
    shapes = [(784, 200), (200, 1), (1, 200), (1, 1)]
    arrays = [
        as_numbers(p, what="a parameter", shape=shape)
        for p, shape in zip([*names["weight_matrices"], *names["biases"]], shapes, strict=True)
    ]
    hidden = np.maximum(X.reshape(len(X), -1) @ arrays[0] + arrays[2], 0.0)
    s = (hidden @ arrays[1] + arrays[3]).ravel()
    losses = np.logaddexp(0.0, np.where(y == 1, -s, s))
    return float(np.mean((s > 0) == (y == 1))), float(losses.mean())


def trained_network(names: dict[str, Any], X: Array, y: Array) -> tuple[Array, Array]:
    """Return what the network that training left behind says of some thousand images (n, 28, 28).

    A loss that pairs every g with every label makes (n, n) numbers: not for the training set.

    Returns
    -------
    accuracies, losses
        Two of each: by the student's own functions (NaN if they fail), and by right ones.
    """
    right = right_figures(names, X, y)
    parameters = names["weight_matrices"], names["biases"]
    try:
        activations = [names["relu_activation"], names["sigmoid_activation"]]
        forward_pass, images = names["forward_pass"], X.reshape(len(X), -1)
        # Some hundred images at a time: the caches of all of them take much memory.
        batches = (images[start : start + 400] for start in range(0, len(X), 400))
        g = np.concatenate([forward_pass(b, *parameters, activations)[0] for b in batches])
        own = np.mean((np.ravel(g) > 0.5) == (y == 1)), np.mean(names["logistic_loss"](g, y)[0])
    except BaseException as error:
        let_limits_through(error)
        own = np.nan, np.nan
    accuracies, means = zip(own, right, strict=True)
    return np.array(accuracies, dtype=float), np.array(means, dtype=float)


def expect_one_of(value: Any, right: Array, tolerance: float, what: str) -> None:
    """Expect a number to be within `tolerance` (absolute) of one of those in `right`."""
    got = float(as_numbers(value, what=what, shape=()))
    expect(
        np.any(np.abs(got - right) <= tolerance), f"{what} is not that of the network left behind"
    )


def compare_gradients(grads: Any, right: Any, rtol: float, atol: float) -> None:
    """Compare (grad_Ws, grad_bs) with the right ones, array by array."""
    expect(isinstance(grads, list | tuple) and len(grads) == 2, "a pair (grad_Ws, grad_bs) is due")
    for name, got, wanted in zip(("grad_Ws", "grad_bs"), grads, right, strict=True):
        got = list(itertools.islice(got, len(wanted) + 1))
        expect(len(got) == len(wanted), f"{name} has {len(got)} entries, {len(wanted)} expected")
        for layer, (mine, due) in enumerate(zip(got, wanted, strict=True)):
            assert_close(mine, due, what=f"{name}[{layer}]", rtol=rtol, atol=atol)
