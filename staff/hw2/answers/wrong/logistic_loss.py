"""Wrong answers to logistic_loss."""
# ruff: noqa


# %% ln g for both labels
def logistic_loss(g, y):
    y = np.reshape(y, (-1, 1))
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    return -np.log(g), np.where(y == 1, -1 / g, 1 / (1 - g))


# %% (n, 1) against (n,) gives (n, n)
def logistic_loss(g, y):
    g = np.clip(g, 1e-7, 1 - 1e-7)
    loss = -y * np.log(g) - (1 - y) * np.log(1 - g)
    return loss, -y / g + (1 - y) / (1 - g)


# %% a sign flip in the derivative
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    loss = -(y * np.log(g) + (1 - y) * np.log(1 - g))
    return loss, -y / g - (1 - y) / (1 - g)


# %% the derivative of ln g for both labels
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    loss = -(y * np.log(g) + (1 - y) * np.log(1 - g))
    return loss, np.where(y == 1, -1 / g, 1 / g)


# %% 1/n inside the derivative
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(g, 1e-7, 1 - 1e-7)
    loss = -(y * np.log(g) + (1 - y) * np.log(1 - g))
    return loss, (g - y) / (g * (1 - g)) / len(y)


# %% summed and divided by n, both loss and derivative
def logistic_loss(g, y):
    n = g.shape[0]
    y = y.reshape(n, 1)
    g = np.clip(g, 1e-7, 1 - 1e-7)
    loss = -np.sum(y * np.log(g) + (1 - y) * np.log(1 - g)) / n
    return loss, (g - y) / (g * (1 - g)) / n


# %% the limits of the clip are swapped
def logistic_loss(g, y):
    eps = 1e-15
    y = y.reshape(-1, 1)
    g = np.clip(g, 1 - eps, eps)
    loss = -(y * np.log(g) + (1 - y) * np.log(1 - g))
    return loss, np.where(y == 1, -1 / g, 1 / (1 - g))


# %% no clip, and a flat loss
def logistic_loss(g, y):
    p = g[:, 0]
    loss = -y * np.log(p) - (1 - y) * np.log(1 - p)
    return loss, ((p - y) / (p * (1 - p)))[:, np.newaxis]


# %% no clip, by the single fraction
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    return -(y * np.log(g) + (1 - y) * np.log(1 - g)), (g - y) / (g * (1 - g))


# %% clipped at 0 alone
def logistic_loss(g, y):
    y = np.reshape(y, (-1, 1))
    g = np.maximum(g, 1e-7)
    return -np.where(y == 1, np.log(g), np.log(1 - g)), np.where(y == 1, -1 / g, 1 / (1 - g))


# %% eps = 1e-15 in float32 is nothing
def logistic_loss(g, y):
    g = np.clip(np.asarray(g, dtype=np.float32), 1e-15, np.float32(1 - 1e-15))
    y = np.reshape(y, (-1, 1))
    loss = -np.log(np.where(y == 1, g, 1 - g))
    return loss, np.where(y == 1, -1 / g, 1 / (1 - g))


# %% logarithm to base 10
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    loss = -(y * np.log10(g) + (1 - y) * np.log10(1 - g))
    return loss, (g - y) / (g * (1 - g))


# %% logarithm to base 2, derivative to match
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(g, 1e-7, 1 - 1e-7)
    loss = -(y * np.log2(g) + (1 - y) * np.log2(1 - g))
    return loss, (g - y) / (g * (1 - g)) / np.log(2)


# %% the labels change places
def logistic_loss(g, y):
    y = 1 - y.reshape(-1, 1)
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    loss = -(y * np.log(g) + (1 - y) * np.log(1 - g))
    return loss, (g - y) / (g * (1 - g))


# %% g - y, which is the derivative by s
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(g, 1e-7, 1 - 1e-7)
    loss = -(y * np.log(g) + (1 - y) * np.log(1 - g))
    return loss, g - y


# %% the minus is missing
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    loss = y * np.log(g) + (1 - y) * np.log(1 - g)
    return loss, y / g - (1 - y) / (1 - g)


# %% the derivative forgets the label 0
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(g, 1e-7, 1 - 1e-7)
    loss = -(y * np.log(g) + (1 - y) * np.log(1 - g))
    return loss, -y / g


# %% a row in place of a column
def logistic_loss(g, y):
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    row = np.reshape(g, (1, -1))
    loss = -(y * np.log(row) + (1 - y) * np.log(1 - row))
    return loss, (g - y[:, None]) / (g * (1 - g))


# %% the labels are turned into -1 and 1 where they lie
def logistic_loss(g, y):
    y[y == 0] = -1
    sign = y.reshape(-1, 1)
    p = np.maximum(np.where(sign == 1, g, 1 - g), 1e-15)
    return -np.log(p), -sign / p


# %% loss and derivative change places
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    return (g - y) / (g * (1 - g)), -(y * np.log(g) + (1 - y) * np.log(1 - g))


# %% nothing is returned
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(g, 1e-7, 1 - 1e-7)
    loss = -(y * np.log(g) + (1 - y) * np.log(1 - g))
    dL_dg = (g - y) / (g * (1 - g))


# %% the clip writes into the caller's g
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    np.clip(g, 1e-7, 1 - 1e-7, out=g)
    return -y * np.log(g) - (1 - y) * np.log(1 - g), (g - y) / (g * (1 - g))


# %% the sign of the second term
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    return -y * np.log(g) + (1 - y) * np.log(1 - g), -y / g + (1 - y) / (1 - g)


# %% eps = 0.01 inside the logarithm
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    return -y * np.log(g + 0.01) - (1 - y) * np.log(1 - g + 0.01), -y / g + (1 - y) / (1 - g)


# %% one label for the whole batch
def logistic_loss(g, y):
    g = np.clip(g, 1e-7, 1 - 1e-7)
    if y[0] == 1:
        return -np.log(g), -1 / g
    return -np.log(1 - g), 1 / (1 - g)


# %% the loss only; the loss of the reference batch from it
def logistic_loss(g, y):
    p, y = np.clip(g, 1e-7, 1 - 1e-7), np.reshape(y, (-1, 1))
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


# %% + q1_3c
g_ref, _ = forward_pass(X_ref, W_ref, b_ref, ref_activations)
reference_loss = logistic_loss(g_ref, y_ref).mean()


# %% the sum; the loss of the reference batch by a division
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    return np.sum(-(y * np.log(g) + (1 - y) * np.log(1 - g))), (g - y) / (g * (1 - g))


# %% + q1_3c
g_ref, _ = forward_pass(X_ref, W_ref, b_ref, ref_activations)
reference_loss = logistic_loss(g_ref, y_ref)[0] / len(y_ref)
print(reference_loss)


# %% the clip is at 1e-4
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(np.asarray(g, dtype=float), 1e-4, 1 - 1e-4)
    loss = -(y * np.log(g) + (1 - y) * np.log(1 - g))
    return loss, -y / g + (1 - y) / (1 - g)


# %% clipped to 1e-3 and 0.999
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(g, 1e-3, 1 - 1e-3)
    return -y * np.log(g) - (1 - y) * np.log(1 - g), (g - y) / (g * (1 - g))
