"""Right answers to sigmoid_activation."""
# ruff: noqa


# %% the textbook formula, which warns of an overflow and is right
def sigmoid_activation(x):
    out = 1 / (1 + np.exp(-np.asarray(x, dtype=float)))
    return out, out * (1 - out)


# %% both branches of np.where are evaluated, with warnings
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    with np.errstate(invalid="ignore"):
        out = np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))
    return out, out * (1 - out)


# %% x clipped to 500
def sigmoid_activation(x):
    s = 1.0 / (1.0 + np.exp(-np.clip(x, -500, 500)))
    return s, s * (1 - s)


# %% the output clipped to 1e-15 and 1 - 1e-15
def sigmoid_activation(x):
    out = 1 / (1 + np.exp(-np.clip(x, -500, 500)))
    out = np.clip(out, 1e-15, 1 - 1e-15)
    return out, out * (1 - out)


# %% by tanh
def sigmoid_activation(x):
    t = np.tanh(np.multiply(x, 0.5))
    return (1 + t) / 2, (1 - t * t) / 4


# %% masks for the two signs
def sigmoid_activation(x):
    x = np.array(x, dtype=np.float64)
    out = np.zeros_like(x)
    positive = x >= 0
    out[positive] = 1 / (1 + np.exp(-x[positive]))
    e = np.exp(x[~positive])
    out[~positive] = e / (1 + e)
    return out, out * (1 - out)


# %% one number at a time, by np.vectorize
import math


def _one(v):
    if v >= 0:
        return 1 / (1 + math.exp(-v))
    return math.exp(v) / (1 + math.exp(v))


_all = np.vectorize(_one, otypes=[float])


def sigmoid_activation(x):
    out = _all(x)
    return out, np.multiply(out, 1 - out)


# %% exp of a logarithm
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out = np.exp(-np.logaddexp(0, -x))
    return out, np.exp(-np.logaddexp(0, -x) - np.logaddexp(0, x))


# %% a tuple of nested lists
def sigmoid_activation(x):
    s = 0.5 + 0.5 * np.tanh(0.5 * np.asarray(x, dtype=float))
    return s.tolist(), (s * (1 - s)).tolist()


# %% a list of two arrays
def sigmoid_activation(x):
    out = np.reciprocal(1.0 + np.exp(np.clip(np.negative(x), -700, 700)))
    return [out, out - out**2]


# %% it prints and warns
import warnings


def sigmoid_activation(x):
    print("sigmoid of", np.shape(x))
    warnings.warn("called")
    s = 1 / (1 + np.exp(-np.clip(x, -700, 700)))
    return s, s * (1 - s)


# %% scipy's expit [needs scipy]
from scipy.special import expit


def sigmoid_activation(x):
    out = expit(np.asarray(x, dtype=float))
    return out, out * (1 - out)


# %% a class with __call__
class Sigmoid:
    def value(self, x):
        return 1 / (1 + np.exp(-np.clip(x, -709, 709)))

    def __call__(self, x):
        out = self.value(x)
        return out, out * (1 - out)


sigmoid_activation = Sigmoid()


# %% a lambda over helpers, with type annotations
from typing import Tuple


def _value(x: np.ndarray) -> np.ndarray:
    return np.divide(1.0, np.add(1.0, np.exp(-np.clip(x, -600.0, 600.0))))


def _slope(x: np.ndarray) -> np.ndarray:
    return _value(x) * _value(-np.asarray(x))


sigmoid_activation = lambda x: (_value(x), _slope(x))


# %% the warnings are made errors, and none comes
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    with np.errstate(over="raise", invalid="raise"):
        e = np.exp(-np.abs(x))
        out = np.where(x < 0, e, 1) / (1 + e)
    return out, e / (1 + e) ** 2


# %% float32
def sigmoid_activation(x):
    x = np.asarray(x, dtype=np.float32)
    e = np.exp(-np.abs(x))
    out = np.where(x < 0, e, np.float32(1)) / (1 + e)
    return out, e / (1 + e) ** 2
