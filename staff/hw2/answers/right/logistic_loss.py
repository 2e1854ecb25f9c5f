"""Right answers to logistic_loss."""
# ruff: noqa


# %% loss of shape (n,)
def logistic_loss(g, y):
    p = g[:, 0].astype(float).clip(1e-15, 1 - 1e-15)
    loss = -y * np.log(p) - (1 - y) * np.log(1 - p)
    return loss, ((p - y) / (p * (1 - p)))[:, np.newaxis]


# %% by the single fraction
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(np.float64(g), 1e-12, 1 - 1e-12)
    return -(y * np.log(g) + (1 - y) * np.log(1 - g)), (g - y) / (g * (1 - g))


# %% clipped to 1e-7
def logistic_loss(g, y):
    eps = 1e-7
    y = y.reshape(-1, 1)
    g = np.maximum(np.minimum(g, 1 - eps), eps)
    return np.where(y == 1, -np.log(g), -np.log(1 - g)), np.where(y, -1 / g, 1 / (1 - g))


# %% a loop over the examples, into lists
import math


def logistic_loss(g, y):
    loss, slope = [], []
    for p, label in zip(np.ravel(g), y):
        p = min(max(float(p), 1e-15), 1 - 1e-15)
        if label == 1:
            loss.append(-math.log(p))
            slope.append([-1 / p])
        else:
            loss.append(-math.log(1 - p))
            slope.append([1 / (1 - p)])
    return loss, slope


# %% + q1_3c
reference_loss = (
    sum(logistic_loss(forward_pass(X_ref, W_ref, b_ref, ref_activations)[0], y_ref)[0]) / 2
)


# %% a named tuple
from collections import namedtuple

Loss = namedtuple("Loss", "value slope")


def logistic_loss(g, y):
    sign = np.where(np.reshape(y, (-1, 1)) > 0, 1, -1)
    p = np.maximum(0.5 + sign * (g - 0.5), 1e-15)
    return Loss(-np.log(p), -sign / p)


# %% one-hot labels, summed over two columns
def logistic_loss(g, y):
    Y = np.eye(2)[y]
    P = np.maximum(np.concatenate([1 - g, g], axis=1), 1e-15)
    loss = -(Y * np.log(P)).sum(axis=1, keepdims=True)
    dL_dP = -Y / P
    return loss, dL_dP[:, [1]] - dL_dP[:, [0]]


# %% a dictionary of functions, one for each label
CASES = {
    0: lambda p: (-np.log(1 - p), 1 / (1 - p)),
    1: lambda p: (-np.log(p), -1 / p),
}


def logistic_loss(g, y):
    inside = np.clip(np.asarray(g, dtype=float)[:, 0], 1e-15, 1 - 1e-15)
    pairs = [CASES[int(label)](p) for p, label in zip(inside, y)]
    losses, slopes = zip(*pairs)
    return np.array(losses), np.array(slopes).reshape(-1, 1)


# %% 0 times infinity is turned to 0
def logistic_loss(g, y):
    y = y[:, np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.nan_to_num(y * np.log(g), nan=0.0)
        second = np.nan_to_num((1 - y) * np.log(1 - g), nan=0.0)
        dL_dg = np.nan_to_num((1 - y) / (1 - g)) - np.nan_to_num(y / g)
    return -(first + second), dL_dg


# %% np.vectorize of one example, flat losses
import math


def _single(p, label, eps=1e-12):
    p = min(max(p, eps), 1 - eps)
    return (-math.log(p), -1 / p) if label == 1 else (-math.log(1 - p), 1 / (1 - p))


def logistic_loss(g, y):
    loss, slope = np.vectorize(_single, otypes=[float, float])(g[:, 0], y)
    return loss, slope[:, None]


# %% asserts about shapes, an eps argument
def logistic_loss(g, y, eps=1e-10):
    n = g.shape[0]
    assert g.shape == (n, 1), "g should be a column!"
    assert y.shape == (n,)
    target = y.astype(float)[:, None]
    prob = g.astype(float).clip(eps, 1 - eps)
    loss = np.where(target == 1, -np.log(prob), -np.log1p(-prob))
    dL_dg = (prob - target) / prob / (1 - prob)
    assert loss.shape == dL_dg.shape == (n, 1)
    return loss, dL_dg


# %% the transposed row of g, losses as a row turned back
def logistic_loss(g, y):
    row = np.asarray(g, dtype=np.float64).T  # (1, n), so that y broadcasts
    row = np.clip(row, 1e-10, 1 - 1e-10)
    loss = -y * np.log(row) - (1 - y) * np.log(1 - row)
    slope = (row - y) / (row - row**2)
    return loss.T, slope.T


# %% everything flat, and a backward_pass that makes columns of it
def logistic_loss(g, y):
    g = np.clip(g.ravel().astype("float64"), 1e-15, 1 - 1e-15)
    loss = -np.where(y == 1, np.log(g), np.log(1 - g))
    dL_dg = np.where(y == 1, -1 / g, 1 / (1 - g))
    return loss, dL_dg


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    upstream = dL_dg.reshape(len(dL_dg), -1)
    grad_Ws, grad_bs = [], []
    for x, W, slope in layer_caches[::-1]:
        delta = upstream * slope
        grad_Ws = [np.einsum("ij,ik->ijk", x, delta)] + grad_Ws
        grad_bs = [delta[:, np.newaxis]] + grad_bs
        upstream = delta @ W.T
    return grad_Ws, grad_bs


# %% the derivative by a complex step
def logistic_loss(g, y):
    y = y.reshape(g.shape)
    def loss(p):
        return -np.log(y * p + (1 - y) * (1 - p))
    g = np.clip(np.asarray(g, dtype=complex).real, 1e-15, 1 - 1e-15)
    return loss(g + 0j).real, loss(g + 1e-30j).imag / 1e-30


# %% np.matrix comes back
def logistic_loss(g, y):
    G = np.asmatrix(np.clip(g.astype(float), 1e-15, 1 - 1e-15))
    Y = np.asmatrix(y).T
    loss = -np.multiply(Y, np.log(G)) - np.multiply(1 - Y, np.log(1 - G))
    dL = np.divide(G - Y, np.multiply(G, 1 - G))
    return loss, dL


# %% y may be a column too; long double
def logistic_loss(g, y, *, eps=np.finfo(float).tiny):
    g = np.asarray(g, dtype=np.longdouble)
    y = np.asarray(y).reshape(len(g), -1)
    p = np.where(y, g, 1 - g)
    p = np.maximum(p, eps)
    return -np.log(p), np.where(y, -1, 1) / p


# %% a matrix of both labels' losses, its diagonal
def logistic_loss(g, y):
    n = len(y)
    g = np.clip(np.array(g, dtype=float), 1e-15, 1 - 1e-15)
    all_losses = -np.outer(np.log(g), y) - np.outer(np.log(1 - g), 1 - y)
    all_slopes = -np.outer(1 / g, y) + np.outer(1 / (1 - g), 1 - y)
    return np.diag(all_losses).reshape(n, 1), np.diag(all_slopes).reshape(n, 1)


# %% a structured array for the results
def logistic_loss(g, y):
    rows = np.zeros((len(y), 1), dtype=[("loss", float), ("slope", float)])
    inside = np.clip(g.astype(float), 1e-15, 1 - 1e-15)
    for k, (p, label) in enumerate(zip(inside.flat, y)):
        match label:
            case 1:
                rows[k] = (-np.log(p), -1 / p)
            case 0:
                rows[k] = (-np.log1p(-p), 1 / (1 - p))
    return rows["loss"], rows["slope"]


# %% clipped to 1e-7 in float32, calculated in float64 after
def logistic_loss(g, y):
    g = np.clip(np.float32(g), np.float32(1e-7), np.float32(1 - 1e-7)).astype(float)
    y = np.reshape(y, g.shape)
    return -y * np.log(g) - (1 - y) * np.log(1 - g), -y / g + (1 - y) / (1 - g)


# %% additive 1e-7
def logistic_loss(g, y):
    e = 1e-7
    t = y[:, None]
    loss = -(t * np.log(g + e) + (1 - t) * np.log(1 - g + e))
    return loss, -t / (g + e) + (1 - t) / (1 - g + e)


# %% nn.BCELoss(reduction='none') look-alike with log clamped at -100
class BCELoss:
    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def __call__(self, input, target):
        with np.errstate(divide="ignore"):
            l = -(target * np.maximum(np.log(input), -100) + (1 - target) * np.maximum(np.log1p(-input), -100))
        return l.mean() if self.reduction == "mean" else l

    def grad(self, input, target):
        return (input - target) / np.maximum(input * (1 - input), 1e-12)


criterion = BCELoss(reduction="none")


def logistic_loss(g, y):
    target = y[:, np.newaxis].astype(float)
    return criterion(g, target), criterion.grad(g, target)
