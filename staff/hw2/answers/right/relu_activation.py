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


# %% np.heaviside
def relu_activation(s):
    return np.maximum(0, s), np.heaviside(s, 0.5)


# %% a copy, changed in place
def relu_activation(s):
    out = s.copy()
    out[out < 0] = 0
    grad = np.zeros_like(s)
    grad[s > 0] = 1
    return out, grad


# %% np.clip without an upper limit
def relu_activation(s):
    return np.clip(s, 0, None), np.greater(s, 0).astype(np.int8)


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
