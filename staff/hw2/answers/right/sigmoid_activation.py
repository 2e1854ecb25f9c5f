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


# %% masks on an array of zeros, so it needs an array
def sigmoid_activation(x):
    pos_mask = x >= 0
    neg_mask = ~pos_mask
    z = np.zeros_like(x, dtype=float)
    z[pos_mask] = np.exp(-x[pos_mask])
    z[neg_mask] = np.exp(x[neg_mask])
    top = np.ones_like(x, dtype=float)
    top[neg_mask] = z[neg_mask]
    out = top / (1 + z)
    return out, out * (1 - out)


# %% loops over x.shape with math.exp, by np.ndindex
from math import exp


def sigmoid_activation(x):
    out = np.zeros(x.shape)
    grad = np.zeros(x.shape)
    for idx in np.ndindex(x.shape):
        if x[idx] >= 0:
            out[idx] = 1 / (1 + exp(-x[idx]))
        else:
            out[idx] = exp(x[idx]) / (1 + exp(x[idx]))
        grad[idx] = out[idx] * (1 - out[idx])
    return out, grad


# %% np.select
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    with np.errstate(all="ignore"):
        out = np.select(
            [x > 30, x < -30],
            [1 - np.exp(-x), np.exp(x)],
            default=1 / (1 + np.exp(-x)),
        )
    return out, out * (1 - out)


# %% row by row, by recursion
def sigmoid_activation(x):
    if x.ndim > 1:
        rows = [sigmoid_activation(row) for row in x]
        return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    e = np.exp(-abs(x))
    out = np.where(x > 0, 1, e) / (1 + e)
    return out, e / (1 + e) ** 2


# %% OverflowError is caught, by np.frompyfunc
import math


def one_sigmoid(v):
    try:
        return 1.0 / (1.0 + math.exp(-v))
    except OverflowError:
        return 0.0


all_sigmoids = np.frompyfunc(one_sigmoid, 1, 1)


def sigmoid_activation(x):
    out = np.asarray(all_sigmoids(x)).astype(float)
    return out, out * (1.0 - out)


# %% an lru_cache for single numbers
from functools import lru_cache


@lru_cache(maxsize=None)
def scalarSigmoid(v):
    if v < 0:
        return 1 - scalarSigmoid(-v) if v > -20 else np.exp(v)
    return 1 / (1 + np.exp(-v))


def sigmoid_activation(x):
    flatX = np.ravel(x)
    sigX = np.array([scalarSigmoid(float(v)) for v in flatX]).reshape(np.shape(x))
    return sigX, sigX - sigX * sigX


# %% ufuncs with out, on a copy
def sigmoid_activation(x):
    t = np.array(x, dtype=np.float64)
    np.negative(t, out=t)
    np.minimum(t, 709, out=t)
    np.exp(t, out=t)
    t += 1
    np.reciprocal(t, out=t)
    g = 1 - t
    g *= t
    return t, g


# %% ufuncs with where
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    positive = x >= 0
    e = np.exp(-x, where=positive, out=np.zeros(x.shape))
    np.exp(x, where=~positive, out=e)
    out = np.empty(x.shape)
    np.divide(1, 1 + e, where=positive, out=out)
    np.divide(e, 1 + e, where=~positive, out=out)
    return out, out * (1 - out)


# %% walrus, the warnings switched off
import warnings


def sigmoid_activation(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (s := 1 / (1 + np.exp(-1.0 * x))), s * (1 - s)


# %% a decorator adds the derivative, comments in Spanish
def con_derivada(funcion):
    # devuelve la funcion y su derivada (solo sirve para la sigmoide)
    def envoltura(x):
        y = funcion(x)
        return y, y * (1 - y)

    return envoltura


@con_derivada
def sigmoid_activation(x):
    # evitar desbordamiento: exp de un numero negativo siempre es pequeno
    x_seguro = np.where(x < 0, x, -x)
    e = np.exp(x_seguro)
    return np.where(x < 0, e / (1 + e), 1 / (1 + e))


# %% np.nditer
def sigmoid_activation(x):
    x = np.asarray(x)
    with np.nditer([x, None, None], op_dtypes=[x.dtype, float, float]) as it:
        for v, s, d in it:
            e = np.exp(-abs(float(v)))
            s[...] = (1 if v >= 0 else e) / (1 + e)
            d[...] = e / (1 + e) ** 2
        return it.operands[1], it.operands[2]


# %% the derivative by calling itself at -x
def sigmoid_activation(x, derivative=True):
    x = np.array(x, dtype=float)
    flat = x.flatten()
    for i in range(len(flat)):
        flat[i] = 1 / (1 + np.exp(-flat[i])) if flat[i] > -30 else np.exp(flat[i])
    sig = flat.reshape(x.shape)
    if not derivative:
        return sig
    return sig, sig * sigmoid_activation(-x, derivative=False)


# %% a global counter, asserts about the result
n_calls = 0


def sigmoid_activation(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    global n_calls
    n_calls += 1
    x = x + 0.0
    z = np.exp(-np.abs(x))
    S = z / (1 + z)
    S = np.where(x > 0, 1 - S, S)
    dS = S * (1 - S)
    assert S.shape == x.shape and dS.shape == x.shape
    assert np.all(S >= 0) and np.all(S <= 1), "sigmoid must be in [0, 1]"
    return S, dS


# %% complex step for the derivative
def sigmoid_activation(x):
    def tanh_form(z):
        return 0.5 * (1 + np.tanh(z / 2))
    z = np.asarray(x, dtype=complex)
    out = tanh_form(z).real
    tiny = 1e-30
    grad = tanh_form(z + 1j * tiny).imag / tiny
    return out, np.abs(grad)


# %% np.logaddexp
def sigmoid_activation(x):
    x = np.array(x, float)
    log_out = -np.logaddexp(0, -x)
    log_rest = -np.logaddexp(0, x)
    return np.exp(log_out), np.exp(log_out + log_rest)


# %% functools.singledispatch
from functools import singledispatch

@singledispatch
def sigmoid_activation(x):
    small = np.exp(-abs(float(x)))
    one = 1.0 / (1.0 + small)
    return (one if x >= 0 else 1.0 - one), small / (1.0 + small) ** 2

@sigmoid_activation.register
def _(x: np.ndarray):
    pairs = [sigmoid_activation(v) for v in x.ravel().tolist()]
    out, grad = zip(*pairs)
    return np.array(out).reshape(x.shape), np.array(grad).reshape(x.shape)


# %% masked arrays come back
def sigmoid_activation(x):
    m = np.ma.array(x, dtype=float)
    e = np.ma.exp(-np.ma.abs(m))
    out = np.ma.where(m < 0, e, 1) / (1 + e)
    return out, out * (1 - out)


# %% a memory of earlier calls by the bytes of x
seen = {}

def sigmoid_activation(x):
    x = np.asarray(x)
    key = (x.tobytes(), x.shape, x.dtype.str)
    if key not in seen:
        e = np.exp(-np.abs(x.astype(float)))
        seen[key] = np.where(x < 0, e / (1 + e), 1 / (1 + e)), e / (1 + e) ** 2
    a, b = seen[key]
    return a.copy(), b.copy()


# %% long double
def sigmoid_activation(x):
    t = np.asarray(x).astype(np.longdouble)
    out = 1 / (1 + np.exp(-t))
    return out, out * (1 - out)


# %% decimal numbers, one by one
from decimal import Decimal, getcontext
getcontext().prec = 30

def sigmoid_activation(x):
    flat, slopes = [], []
    for v in np.nditer(np.asarray(x, dtype=float)):
        d = 1 / (1 + (-Decimal(float(v))).exp())
        flat.append(float(d))
        slopes.append(float(d * (1 - d)))
    return np.reshape(flat, np.shape(x)), np.reshape(slopes, np.shape(x))


# %% floating-point errors are made exceptions and caught
def sigmoid_activation(x):
    x = np.asarray(x, dtype=np.float64)
    try:
        with np.errstate(all="raise"):
            out = 1 / (1 + np.exp(-x))
            return out, out * (1 - out)
    except FloatingPointError:
        pos = x >= 0
        z = np.exp(np.where(pos, -x, x))
        out = np.where(pos, 1 / (1 + z), z / (1 + z))
        return out, out * (1 - out)


# %% a subclass of ndarray that carries its derivative
class Valued(np.ndarray):
    def __array_finalize__(self, obj):
        self.slope = getattr(obj, "slope", None)

def sigmoid_activation(x):
    e = np.exp(-np.abs(np.asarray(x, float)))
    out = (np.where(np.asarray(x) >= 0, 1, e) / (1 + e)).view(Valued)
    out.slope = np.asarray(out * (1 - out)).view(Valued)
    return out, out.slope


# %% a list of two arrays, made by map
def sigmoid_activation(x):
    e = np.exp(-np.abs(np.asarray(x, float)))
    value = lambda: np.where(np.asarray(x) >= 0, 1, e) / (1 + e)
    return list(map(lambda f: f(), (value, lambda: e / (1 + e) ** 2)))


# %% helpers named like variables of the tests
def g(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1 + e)

def y(z):
    return g(z) * g(-z)

def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    return g(x), y(x)


# %% one array of two, stacked
def sigmoid_activation(x):
    e = np.exp(-np.abs(np.asarray(x, float)))
    out = np.where(np.asarray(x) >= 0, 1, e) / (1 + e)
    return np.stack([out, e / (1 + e) ** 2])


# %% all floating-point errors are exceptions from here on
np.seterr(over="raise", divide="raise", invalid="raise")

def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    e = np.exp(-np.abs(x))
    out = np.where(x >= 0, 1, e) / (1 + e)
    return out, out * (1 - out)


# %% softmax of x and 0
def sigmoid_activation(x):
    z = np.stack([np.asarray(x, dtype=float), np.zeros(np.shape(x))])
    z = np.exp(z - z.max(axis=0))
    p = z / z.sum(axis=0)
    return p[0], p[0] * p[1]


# %% float32 by tanh
def sigmoid_activation(x):
    out = np.float32(0.5) * (1 + np.tanh(np.asarray(x, dtype=np.float32) / 2))
    return out, out * (1 - out)

# %% torch.autograd.Function look-alike, with a ctx
class Ctx:
    def save_for_backward(self, *t):
        self.saved_tensors = t


class SigmoidFn:
    @staticmethod
    def forward(ctx, input):
        pos = input >= 0
        z = np.where(pos, np.exp(-np.abs(input)), np.exp(-np.abs(input)))
        out = np.where(pos, 1 / (1 + z), z / (1 + z))
        ctx.save_for_backward(out, z)
        return out

    @staticmethod
    def backward(ctx, grad_output):
        out, z = ctx.saved_tensors
        return grad_output * z / (1 + z) ** 2


def sigmoid_activation(x):
    ctx = Ctx()
    out = SigmoidFn.forward(ctx, np.float64(x) if np.isscalar(x) else np.array(x, float))
    return out, SigmoidFn.backward(ctx, np.ones_like(out))
