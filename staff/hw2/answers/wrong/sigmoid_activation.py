"""Wrong answers to sigmoid_activation."""
# ruff: noqa


# %% the sign of the exponent is lost
def sigmoid_activation(x):
    x = np.clip(np.asarray(x, dtype=float), -700, 700)
    out = 1 / (1 + np.exp(x))
    return out, out * (1 - out)


# %% the derivative has the wrong sign
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out = 0.5 * (1 + np.tanh(x / 2))
    return out, out * (out - 1)


# %% the derivative is out * (1 - x)
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out = 1 / (1 + np.exp(-np.clip(x, -700, 700)))
    return out, out * (1 - x)


# %% the result of np.clip is dropped
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    np.clip(x, -500, 500)
    out = np.exp(x) / (np.exp(x) + 1)
    return out, out * (1 - out)


# %% empty_like of integers rounds everything to 0
def sigmoid_activation(x):
    x = np.atleast_1d(x)
    out = np.empty_like(x)
    out[x >= 0] = 1 / (1 + np.exp(-x[x >= 0]))
    out[x < 0] = np.exp(x[x < 0]) / (1 + np.exp(x[x < 0]))
    return out, out * (1 - out)


# %% x is clipped to -10 and 10
def sigmoid_activation(x):
    out = 1 / (1 + np.exp(-np.clip(x, -10, 10)))
    return out, out * (1 - out)


# %% an if that only takes single numbers
def sigmoid_activation(x):
    if x >= 0:
        out = 1 / (1 + np.exp(-x))
    else:
        out = np.exp(x) / (1 + np.exp(x))
    return out, out * (1 - out)


# %% only the value comes back, no derivative
def sigmoid_activation(x):
    return 0.5 * (1 + np.tanh(np.asarray(x) / 2))


# %% tanh of x in place of x / 2
def sigmoid_activation(x):
    t = np.tanh(x)
    return 0.5 * (1 + t), 0.5 * (1 - t**2)


# %% value and derivative change places
def sigmoid_activation(x):
    out = 0.5 * (1 + np.tanh(np.asarray(x) / 2))
    return out * (1 - out), out


# %% a matrix comes back flattened
def sigmoid_activation(x):
    out = np.array([0.5 * (1 + np.tanh(v / 2)) for v in np.ravel(x)])
    return out, out * (1 - out)


# %% math.exp overflows at -1000
import math


def sigmoid_activation(x):
    one = np.vectorize(lambda v: 1 / (1 + math.exp(-v)), otypes=[float])
    out = one(x)
    return out, out * (1 - out)


# %% the first result for a shape is kept for ever
_known = {}


def sigmoid_activation(x):
    key = np.shape(x)
    if key not in _known:
        out = 0.5 * (1 + np.tanh(np.asarray(x) / 2))
        _known[key] = out, out * (1 - out)
    return _known[key]


# %% masks leave out 0
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out = np.zeros(x.shape)
    out[x > 0] = 1 / (1 + np.exp(-x[x > 0]))
    out[x < 0] = np.exp(x[x < 0]) / (1 + np.exp(x[x < 0]))
    return out, out * (1 - out)


# %% what is clipped is the caller's x
def sigmoid_activation(x):
    if x.dtype.kind == "f":
        np.clip(x, -500, 500, out=x)
    else:
        x = np.clip(x, -500, 500)
    out = 1 / (1 + np.exp(-x))
    return out, out * (1 - out)


# %% above 30 the fallback is on the wrong side
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    small = np.exp(-np.clip(x, -30, 30))
    out = 1 / (1 + small)
    out = np.where(x > 30, 0.0, np.where(x < -30, 1.0, out))
    return out, out * (1 - out)


# %% the derivative is taken at the output
def sigmoid_activation(x):
    def f(z):
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1, e) / (1 + e)
    out = f(np.asarray(x, dtype=float))
    return out, f(out) * (1 - f(out))


# %% the derivative is NaN far out, the value is not
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    e = np.exp(-np.abs(x))
    out = np.where(x >= 0, 1, e) / (1 + e)
    return out, np.exp(-x) / (1 + np.exp(-x)) ** 2


# %% the derivative by a one-sided difference of 0.01
def sigmoid_activation(x):
    def f(z):
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1, e) / (1 + e)
    x = np.asarray(x, dtype=float)
    return f(x), (f(x + 0.01) - f(x)) / 0.01


# %% float16
def sigmoid_activation(x):
    x = np.asarray(x, dtype=np.float16)
    out = 1 / (1 + np.exp(-x))
    return out, out * (1 - out)


# %% the derivatives of all calls share a buffer
_grads = {}
def sigmoid_activation(x):
    e = np.exp(-np.abs(np.asarray(x, dtype=float)))
    out = np.where(x >= 0, 1, e) / (1 + e)
    grad = _grads.setdefault(np.shape(x), np.empty(np.shape(x)))
    grad[...] = out * (1 - out)
    return out, grad


# %% the derivative is 0 beyond 6
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out = 0.5 * (1 + np.tanh(x / 2))
    return out, np.where(np.abs(x) > 6, 0.0, out * (1 - out))


# %% the value only; the answers go without the derivative
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1 + e)


# %% + q1_3b_i
sigmoid_near = sigmoid_activation(np.array([1.0, 0.0, -1.0]))
sigmoid_near_grad = sigmoid_near * (1 - sigmoid_near)


# %% + q1_3b_ii
sigmoid_far = sigmoid_activation(np.array([-1000.0, 1000.0]))
sigmoid_far_grad = sigmoid_far * (1 - sigmoid_far)
