"""Wrong answers to layer_forward; the cache is laid out as the instructor's backward_pass reads it."""
# ruff: noqa


# %% the activation is applied to x W and to b apart
def layer_forward(x, W, b, activation_fn):
    left, d_left = activation_fn(x @ W)
    right, _ = activation_fn(b)
    return left + right, (x, W, d_left)


# %% the bias is forgotten
def layer_forward(x, W, b, activation_fn):
    out, grad = activation_fn(x @ W)
    return out, (x, W, grad)


# %% the bias is added after the activation
def layer_forward(x, W, b, activation_fn):
    out, grad = activation_fn(x @ W)
    return out + b, (x, W, grad)


# %% the bias is subtracted
def layer_forward(x, W, b, activation_fn):
    out, grad = activation_fn(x @ W - b)
    return out, (x, W, grad)


# %% * for @
def layer_forward(x, W, b, activation_fn):
    out, grad = activation_fn(x * W + b)
    return out, (x, W, grad)


# %% the activation is forgotten
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b
    _, grad = activation_fn(s)
    return s, (x, W, grad)


# %% always ReLU
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b
    out, grad = relu_activation(s)
    return out, (x, W, grad)


# %% the pair of the activation is not taken apart
def layer_forward(x, W, b, activation_fn):
    out = activation_fn(x @ W + b)
    return out, (x, W, out[1])


# %% output and cache change places
def layer_forward(x, W, b, activation_fn):
    out, grad = activation_fn(x @ W + b)
    return (x, W, grad), out


# %% only the output comes back
def layer_forward(x, W, b, activation_fn):
    return activation_fn(x @ W + b)[0]


# %% the first example for all
def layer_forward(x, W, b, activation_fn):
    out, grad = activation_fn(x[0] @ W + b)
    return out, (x, W, grad)


# %% x is made to have mean 0 where it lies
def layer_forward(x, W, b, activation_fn):
    out, grad = activation_fn(x @ W + b)
    kept = x.copy()
    x -= x.mean(axis=0)
    return out, (kept, W, grad)


# %% b is added to W where it lies
def layer_forward(x, W, b, activation_fn):
    W += b
    out, grad = activation_fn(x @ W)
    return out, (x, W, grad)


# %% only the first row gets the bias
def layer_forward(x, W, b, activation_fn):
    s = x @ W
    s[0] += b[0]
    out, slope = activation_fn(s)
    return out, (x, W, slope)


# %% the bias is kept within [-2, 2]
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + np.clip(b, -2, 2))
    return out, (x, W, slope)


# %% one unit gives a flat output
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    cache = (x, W, slope)
    return (out[:, 0] if out.shape[1] == 1 else out), cache


# %% W is transposed where it is square
def layer_forward(x, W, b, activation_fn):
    s = x @ (W.T if W.shape[0] == W.shape[1] else W) + b
    out, slope = activation_fn(s)
    return out, (x, W, slope)


# %% one list is filled by all calls
layer_cache = [None, None, None]


def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    layer_cache[:] = x, W, slope
    return out, layer_cache


# %% one object is filled by all calls, and the backward_pass that reads it
class Cache:
    pass


cache = Cache()


def layer_forward(x, W, b, activation_fn):
    cache.x, cache.W = x, W
    out, cache.slope = activation_fn(np.dot(x, W) + b)
    return out, cache


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    for c in reversed(layer_caches):
        dL_dg = dL_dg * c.slope
        grad_Ws.insert(0, np.einsum("ni,nj->nij", c.x, dL_dg))
        grad_bs.insert(0, dL_dg[:, None, :])
        dL_dg = dL_dg @ c.W.T
    return grad_Ws, grad_bs


# %% b is taken for a column where the batch is as large as the layer
def layer_forward(x, W, b, activation_fn):
    s = x @ W
    s = s + (b.T if b.T.shape[0] == s.shape[0] else b)
    out, slope = activation_fn(s)
    return out, (x, W, slope)
