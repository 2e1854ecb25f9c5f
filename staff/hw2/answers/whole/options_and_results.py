"""forward_pass has an option keep_caches, and returns a named tuple.

Caches are dataclasses with slots.
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    out = np.where(x >= 0, 1 / (1 + np.exp(-np.maximum(x, 0))), 0.0)
    e = np.exp(np.minimum(x, 0))
    out = np.where(x < 0, e / (1 + e), out)
    return out, out * (1 - out)


# %% logistic_loss
def logistic_loss(g: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    target = y.reshape(-1, 1).astype(np.float64)
    g = g.astype(np.float64).clip(1e-15, 1 - 1e-15)
    loss = -target * np.log(g) - (1.0 - target) * np.log1p(-g)
    dL_dg = -target / g + (1.0 - target) / (1.0 - g)
    return loss, dL_dg


# %% relu_activation
def relu_activation(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.where(s > 0, s, 0.0), np.where(s > 0, 1.0, 0.0)


# %% layer_forward
from dataclasses import dataclass


@dataclass(slots=True)
class LayerCache:
    inputs: np.ndarray
    weights: np.ndarray
    derivative: np.ndarray


def layer_forward(x, W, b, activation_fn):
    out, derivative = activation_fn(x @ W + b)
    return out, LayerCache(inputs=x, weights=W, derivative=derivative)


# %% create_weight_matrices
def create_weight_matrices(layer_dims: list[int]) -> list[np.ndarray]:
    shapes = zip(layer_dims[:-1], layer_dims[1:])
    return [rng.normal(loc=0.0, scale=0.01, size=shape) for shape in shapes]


# %% create_bias_vectors
def create_bias_vectors(layer_dims: list[int]) -> list[np.ndarray]:
    return [rng.normal(loc=0.0, scale=0.01, size=(1, units)) for units in layer_dims[1:]]


# %% forward_pass
from typing import NamedTuple


class ForwardResult(NamedTuple):
    output: np.ndarray
    caches: list | None


def forward_pass(X_batch, weight_matrices, biases, activations, *, keep_caches=True):
    out = X_batch
    caches = [] if keep_caches else None
    for W, b, activation_fn in zip(weight_matrices, biases, activations, strict=True):
        out, cache = layer_forward(out, W, b, activation_fn)
        if keep_caches:
            caches.append(cache)
    return ForwardResult(out, caches)


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws: list[np.ndarray] = []
    grad_bs: list[np.ndarray] = []
    upstream = dL_dg
    for cache in reversed(layer_caches):
        delta = upstream * cache.derivative
        grad_Ws.insert(0, cache.inputs[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        upstream = delta @ cache.weights.T
    return grad_Ws, grad_bs


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    step = 1e-5

    def losses() -> np.ndarray:
        result = forward_pass(X_batch, weight_matrices, biases, activations, keep_caches=False)
        return logistic_loss(result.output, y_batch)[0][:, 0]

    def measure(parameter: np.ndarray) -> np.ndarray:
        gradient = np.empty((X_batch.shape[0], *parameter.shape))
        for index in np.ndindex(parameter.shape):
            original = parameter[index]
            parameter[index] = original + step
            above = losses()
            parameter[index] = original - step
            below = losses()
            parameter[index] = original
            gradient[:, *index] = (above - below) / (2 * step)
        return gradient

    return [measure(W) for W in weight_matrices], [measure(b) for b in biases]


# %% q1_3c
result = forward_pass(X_ref, W_ref, b_ref, ref_activations, keep_caches=False)
reference_loss = np.mean(logistic_loss(result.output, y_ref)[0], axis=0)[0]

# %% q1_3d
result = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(result.output, y_ref)[1], result.caches)
pairs = zip(bp_grad_Ws + bp_grad_bs, fd_grad_Ws + fd_grad_bs, strict=True)
largest_relative_error = np.array([relative_error(a, b) for a, b in pairs]).max()
