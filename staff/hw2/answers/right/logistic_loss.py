"""Right answers to logistic_loss."""
# ruff: noqa


# %% no clip, loss of shape (n,)
def logistic_loss(g, y):
    p = g[:, 0]
    loss = -y * np.log(p) - (1 - y) * np.log(1 - p)
    return loss, ((p - y) / (p * (1 - p)))[:, np.newaxis]


# %% no clip, by the single fraction
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    return -(y * np.log(g) + (1 - y) * np.log(1 - g)), (g - y) / (g * (1 - g))


# %% clipped to 1e-12
def logistic_loss(g, y):
    y = np.asarray(y).reshape(g.shape)
    g = np.clip(g, 1e-12, 1 - 1e-12)
    loss = -np.log(g) * y - np.log1p(-g) * (1 - y)
    return loss, -(y / g) + (1 - y) / (1 - g)


# %% clipped to 1e-7
def logistic_loss(g, y):
    eps = 1e-7
    y = y.reshape(-1, 1)
    g = np.maximum(np.minimum(g, 1 - eps), eps)
    return np.where(y == 1, -np.log(g), -np.log(1 - g)), np.where(y, -1 / g, 1 / (1 - g))


# %% eps inside the logarithm
def logistic_loss(g, y):
    y = y[:, None]
    loss = -y * np.log(g + 1e-15) - (1 - y) * np.log(1 - g + 1e-15)
    return loss, (g - y) / (g * (1 - g) + 1e-15)


# %% a loop over the examples, into lists
import math


def logistic_loss(g, y):
    loss, slope = [], []
    for p, label in zip(np.ravel(g), y):
        p = float(p)
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


# %% the probability of the right label, raised to a power
def logistic_loss(g, y):
    y = np.expand_dims(y, 1)
    likelihood = g**y * (1 - g) ** (1 - y)
    return -np.log(likelihood), (1 - 2 * y) / likelihood


# %% fancy indexing into both probabilities
def logistic_loss(g, y):
    rows = np.arange(len(y))
    both = np.hstack([1 - g, g])
    p = both[rows, y]
    return -np.log(p), (np.array([1.0, -1.0])[y] / p).reshape(-1, 1)


# %% masks, written in place into new arrays
def logistic_loss(g, y):
    loss, dL_dg = np.zeros(g.shape), np.zeros(g.shape)
    nine = y == 1
    loss[nine] = -np.log(g[nine])
    loss[~nine] = -np.log(1 - g[~nine])
    dL_dg[nine] = -1 / g[nine]
    dL_dg[~nine] = 1 / (1 - g[~nine])
    return loss, dL_dg


# %% a named tuple
from collections import namedtuple

Loss = namedtuple("Loss", "value slope")


def logistic_loss(g, y):
    sign = np.where(np.reshape(y, (-1, 1)) > 0, 1, -1)
    p = 0.5 + sign * (g - 0.5)
    return Loss(-np.log(p), -sign / p)
