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


# %% the output clipped to 1e-15 and 1 - 1e-15
def sigmoid_activation(x):
    out = 1 / (1 + np.exp(-np.clip(x, -500, 500)))
    out = np.clip(out, 1e-15, 1 - 1e-15)
    return out, out * (1 - out)


# %% by tanh
def sigmoid_activation(x):
    t = np.tanh(np.multiply(x, 0.5))
    return (1 + t) / 2, (1 - t * t) / 4


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


# %% a subclass of ndarray that carries its derivative
class Valued(np.ndarray):
    def __array_finalize__(self, obj):
        self.slope = getattr(obj, "slope", None)

def sigmoid_activation(x):
    e = np.exp(-np.abs(np.asarray(x, float)))
    out = (np.where(np.asarray(x) >= 0, 1, e) / (1 + e)).view(Valued)
    out.slope = np.asarray(out * (1 - out)).view(Valued)
    return out, out.slope


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
