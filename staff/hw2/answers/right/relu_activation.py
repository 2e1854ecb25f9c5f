"""Right answers to relu_activation."""
# ruff: noqa


# %% s times a bool mask, and the mask
def relu_activation(s):
    mask = s > 0
    return s * mask, mask


# %% an int mask that is 1 at 0
def relu_activation(s):
    return np.where(s >= 0, s, 0), np.where(s >= 0, 1, 0)


# %% half the sum with the absolute value, 0.5 at 0
def relu_activation(s):
    return (s + np.abs(s)) / 2, (np.sign(s) + 1) / 2


# %% a copy, changed in place
def relu_activation(s):
    out = s.copy()
    out[out < 0] = 0
    grad = np.zeros_like(s)
    grad[s > 0] = 1
    return out, grad


# %% nested lists
def relu_activation(s):
    return np.maximum(s, 0).tolist(), (np.asarray(s) > 0).tolist()


# %% + layer_forward
def layer_forward(x, W, b, activation_fn):
    out, slope = map(np.asarray, activation_fn(x @ W + b))
    return out, (x, W, slope)


# %% float32
def relu_activation(s):
    s = np.asarray(s, dtype=np.float32)
    return np.maximum(s, np.float32(0)), (s > 0).astype(np.float32)


# %% np.vectorize of Python's max
relu_activation = lambda s: (
    np.vectorize(lambda v: max(v, 0.0), otypes=[float])(s),
    np.vectorize(lambda v: 1 if v > 0 else 0)(s),
)


# %% piecewise, -0.0 for negative numbers
def relu_activation(s):
    return np.where(s > 0, s, -0.0), np.ceil(np.clip(s, 0, 1e-300) * 1e300)


# %% a comprehension over s.flat
def relu_activation(s):
    values = [v if v > 0 else 0.0 for v in s.flat]
    slopes = [1.0 if v > 0 else 0.0 for v in s.flat]
    return np.reshape(values, s.shape), np.reshape(slopes, s.shape)


# %% type annotations, a named tuple, a print
from typing import NamedTuple


class Activated(NamedTuple):
    value: np.ndarray
    derivative: np.ndarray


def relu_activation(s: np.ndarray) -> Activated:
    if np.all(s < 0):
        print("careful: all units are dead")
    return Activated(value=np.where(s > 0, s, 0.0), derivative=np.where(s > 0, 1.0, 0.0))


# %% row by row, by recursion
def relu_activation(s):
    if np.ndim(s) == 0:
        return (s, 1) if s > 0 else (0 * s, 0)
    outs, grads = zip(*[relu_activation(part) for part in s])
    return np.array(outs), np.array(grads)


# %% np.matrix multiplied entry by entry, and back
def relu_activation(s):
    flat = np.asmatrix(np.ravel(s)).T
    mask = flat > 0
    return (np.asarray(np.multiply(flat, mask)).reshape(np.shape(s)),
            np.asarray(mask, float).reshape(np.shape(s)))


# %% int8 slope, a read-only result
def relu_activation(s):
    slope = (np.asarray(s) > 0).astype(np.int8)
    out = np.where(slope, s, 0)
    out.flags.writeable = False
    slope.flags.writeable = False
    return out, slope


# %% views into one new array
def relu_activation(s):
    both = np.empty((2, *np.shape(s)))
    np.maximum(0, s, out=both[0])
    np.greater(s, 0, out=both[1], casting="unsafe")
    return both[0], both[1]


# %% a closure keeps a call counter by nonlocal
def make():
    calls = 0

    def relu_activation(s):
        nonlocal calls
        calls += 1
        mask = np.greater(s, 0)
        return np.multiply(s, mask), mask

    return relu_activation


relu_activation = make()
