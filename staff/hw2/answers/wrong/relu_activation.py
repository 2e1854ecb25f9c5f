"""Wrong answers to relu_activation."""
# ruff: noqa


# %% a leak of 0.01
def relu_activation(s):
    return np.where(s > 0, s, 0.01 * s), np.where(s > 0, 1.0, 0.01)


# %% the absolute value
def relu_activation(s):
    return np.abs(s), np.sign(s)


# %% s is set to 0 where it lies
def relu_activation(s):
    s[s < 0] = 0
    return s, (s > 0).astype(float)


# %% np.max over the rows
def relu_activation(s):
    return np.max(s, 0), (s > 0).astype(float)


# %% Python's max of an array
def relu_activation(s):
    return max(0, s), 1 if s > 0 else 0


# %% the derivative is s times the mask
def relu_activation(s):
    mask = s > 0
    return s * mask, s * mask


# %% the derivative asks whether out >= 0, which it always is
def relu_activation(s):
    out = np.maximum(s, 0)
    return out, (out >= 0).astype(float)


# %% the derivative is the sign, -1 for negative s
def relu_activation(s):
    return np.maximum(s, 0), np.sign(s)


# %% the derivative begins at 0.1
def relu_activation(s):
    return np.maximum(s, 0), (s > 1e-1).astype(float)


# %% what is below 0.01 counts as 0
def relu_activation(s):
    return np.where(s > 0.01, s, 0.0), (s > 0.01).astype(float)


# %% clipped at 6
def relu_activation(s):
    return np.clip(s, 0, 6), ((s > 0) & (s < 6)).astype(float)


# %% only the value comes back
def relu_activation(s):
    return np.maximum(s, 0)


# %% loops that need rows and columns
def relu_activation(s):
    n, d = s.shape
    out, grad = np.zeros((n, d)), np.zeros((n, d))
    for i in range(n):
        for j in range(d):
            if s[i, j] > 0:
                out[i, j], grad[i, j] = s[i, j], 1
    return out, grad


# %% whole numbers only
def relu_activation(s):
    return np.maximum(s, 0).astype(int), (s > 0).astype(int)


# %% value and derivative change places
def relu_activation(s):
    return (s > 0).astype(float), np.maximum(s, 0)


# %% half is forgotten in (s + |s|) / 2
def relu_activation(s):
    return s + np.abs(s), (s > 0) * 1.0


# %% the derivative is that of a step down
def relu_activation(s):
    return np.maximum(0, s), np.where(np.asarray(s) < 0, 1.0, 0.0)


# %% the derivative is out / s, NaN at 0
def relu_activation(s):
    out = np.maximum(s, 0)
    return out, out / s


# %% all calls share two buffers
_buffers = {}
def relu_activation(s):
    if s.shape not in _buffers:
        _buffers[s.shape] = np.empty(s.shape), np.empty(s.shape)
    out, grad = _buffers[s.shape]
    np.maximum(s, 0, out=out)
    np.greater(s, 0, out=grad)
    return out, grad
