"""Wrong answers to backward_pass; the caches are the instructor's (x, W, dout_ds)."""
# ruff: noqa


# %% the mean over the batch
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x.T @ delta / len(x))
        grad_bs.insert(0, delta.mean(axis=0, keepdims=True))
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% the sum over the batch
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x.T @ delta)
        grad_bs.insert(0, delta.sum(axis=0, keepdims=True))
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% each example's gradient is divided by n
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, np.einsum("ni,nj->nij", x, delta) / len(x))
        grad_bs.insert(0, delta[:, None, :] / len(x))
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% 1/n in each layer on the way back
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W.T / len(x)
    return grad_Ws, grad_bs


# %% the mean, repeated for each example
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        n = len(x)
        grad_Ws.insert(0, np.repeat((x.T @ delta / n)[None], n, axis=0))
        grad_bs.insert(0, np.repeat(delta.mean(axis=0)[None, None], n, axis=0))
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% last layer first
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.append(x[:, :, None] * delta[:, None, :])
        grad_bs.append(delta[:, None, :])
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% W is not transposed
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W
    return grad_Ws, grad_bs


# %% reshaped where it should be transposed
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W.reshape(W.shape[1], W.shape[0])
    return grad_Ws, grad_bs


# %% the derivative of the activation is forgotten
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        grad_Ws.insert(0, x[:, :, None] * d[:, None, :])
        grad_bs.insert(0, d[:, None, :])
        d = d @ W.T
    return grad_Ws, grad_bs


# %% the derivative of the activation in the last layer only
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    delta = dL_dg * layer_caches[-1][2]
    for x, W, _ in reversed(layer_caches):
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        delta = delta @ W.T
    return grad_Ws, grad_bs


# %% dL/dout is handed on in place of delta
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = d @ W.T
    return grad_Ws, grad_bs


# %% gradients of the biases have shape (n, d)
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta)
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% gradients of the biases are summed over the batch
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, np.sum(delta, axis=0, keepdims=True))
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% the outer product the other way round
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, delta[:, :, None] * x[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% only the last layer
def backward_pass(dL_dg, layer_caches):
    x, W, dout_ds = layer_caches[-1]
    delta = dL_dg * dout_ds
    return [x[:, :, None] * delta[:, None, :]], [delta[:, None, :]]


# %% the sign of a step: everything is negative
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], -dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% written for two layers
def backward_pass(dL_dg, layer_caches):
    x1, W1, d1 = layer_caches[0]
    x2, W2, d2 = layer_caches[1]
    delta2 = dL_dg * d2
    delta1 = (delta2 @ W2.T) * d1
    gW1, gW2 = x1[:, :, None] * delta1[:, None, :], x2[:, :, None] * delta2[:, None, :]
    return [gW1, gW2], [delta1[:, None, :], delta2[:, None, :]]


# %% biases and weights change places
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W.T
    return grad_bs, grad_Ws


# %% both names are one list
def backward_pass(dL_dg, layer_caches):
    grad_Ws = grad_bs = []
    d = dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% dL_dg is not used
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    d = np.ones_like(layer_caches[-1][2])
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% the caller's dL_dg is multiplied where it lies
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, delta = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta *= dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :].copy())
        delta = delta @ W.T
    return grad_Ws, grad_bs


# %% the derivative of ReLU in every layer
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * (dout_ds > 0)
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% axes of length 1 are squeezed away
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, np.squeeze(x[:, :, None] * delta[:, None, :]))
        grad_bs.insert(0, np.squeeze(delta[:, None, :]))
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% gradients are clipped to 1
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, np.clip(x[:, :, None] * delta[:, None, :], -1, 1))
        grad_bs.insert(0, np.clip(delta[:, None, :], -1, 1))
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% the examples in reversed order
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        per_example = []
        for j in range(len(x)):
            per_example.insert(0, np.outer(x[j], delta[j]))
        grad_Ws.insert(0, np.array(per_example))
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% nothing is returned
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        d = delta @ W.T


# %% dL_dg is handed to every layer
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    up = dL_dg
    for x, W, slope in reversed(layer_caches):
        d = up * slope
        Ws.insert(0, x[:, :, None] * d[:, None]); bs.insert(0, d[:, None])
        up = dL_dg @ W.T if W.shape[1] == dL_dg.shape[1] else d @ W.T
    return Ws, bs


# %% the deltas' examples are averaged before they are handed on
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    up = dL_dg
    for x, W, slope in reversed(layer_caches):
        d = up * slope
        Ws.insert(0, x[:, :, None] * d[:, None]); bs.insert(0, d[:, None])
        up = np.repeat((d @ W.T).mean(axis=0, keepdims=True), len(d), axis=0)
    return Ws, bs


# %% gradients of the biases are multiplied by the sum of x
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    up = dL_dg
    for x, W, slope in reversed(layer_caches):
        d = up * slope
        Ws.insert(0, x[:, :, None] * d[:, None]); bs.insert(0, (d * x.sum(axis=1, keepdims=True))[:, None])
        up = d @ W.T
    return Ws, bs


# %% the size of x in place of x
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    up = dL_dg
    for x, W, slope in reversed(layer_caches):
        d = up * slope
        Ws.insert(0, np.abs(x)[:, :, None] * d[:, None]); bs.insert(0, d[:, None])
        up = d @ W.T
    return Ws, bs


# %% a share of the weights is added, as for weight decay
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    up = dL_dg
    for x, W, slope in reversed(layer_caches):
        d = up * slope
        Ws.insert(0, x[:, :, None] * d[:, None] + 1e-3 * W); bs.insert(0, d[:, None])
        up = d @ W.T
    return Ws, bs


# %% the first example's x for all
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    up = dL_dg
    for x, W, slope in reversed(layer_caches):
        d = up * slope
        Ws.insert(0, x[0][None, :, None] * d[:, None]); bs.insert(0, d[:, None])
        up = d @ W.T
    return Ws, bs


# %% three layers at most
def backward_pass(dL_dg, layer_caches):
    def one(up, cache):
        x, W, slope = cache
        d = up * slope
        return x[:, :, None] * d[:, None, :], d[:, None, :], d @ W.T
    out = []
    up = dL_dg
    for cache in layer_caches[::-1][:3]:
        a, b, up = one(up, cache)
        out.append((a, b))
    out = out[::-1]
    return [a for a, _ in out], [b for _, b in out]


# %% the derivative in the cache is that before the bias is added
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    for x, W, slope in reversed(layer_caches):
        delta = dL_dg * slope
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        dL_dg = delta @ W.T
    return grad_Ws, grad_bs


# %% + layer_forward
def layer_forward(x, W, b, activation_fn):
    s = x @ W
    _, slope = activation_fn(s)
    out, _ = activation_fn(s + b)
    return out, (x, W, slope)


# %% the mean over the batch, compared with means
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x.T @ delta / len(x))
        grad_bs.insert(0, delta.mean(axis=0, keepdims=True))
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
errors = [relative_error(a, b.mean(axis=0)) for a, b in zip(bp_grad_Ws + bp_grad_bs, [*fd_grad_Ws, *fd_grad_bs])]
largest_relative_error = max(errors)


# %% the sum over the batch, compared with sums
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, x.T @ delta)
        grad_bs.insert(0, delta.sum(axis=0, keepdims=True))
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
errors = [relative_error(a, np.sum(b, axis=0)) for a, b in zip(bp_grad_Ws + bp_grad_bs, [*fd_grad_Ws, *fd_grad_bs])]
largest_relative_error = max(errors)


# %% gradients of the biases have shape (n, d), and are compared in this shape
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.insert(0, np.einsum("ni,nj->nij", x, delta))
        grad_bs.insert(0, delta)
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
errors = [relative_error(a, b) for a, b in zip([*bp_grad_Ws, *bp_grad_bs], [*fd_grad_Ws, *(b[:, 0] for b in fd_grad_bs)])]
largest_relative_error = max(errors)


# %% last layer first, and compared in this order
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = d * dout_ds
        grad_Ws.append(np.einsum("ni,nj->nij", x, delta))
        grad_bs.append(delta[:, None])
        d = delta @ W.T
    return grad_Ws, grad_bs


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
errors = [relative_error(a, b) for a, b in zip(bp_grad_Ws[::-1] + bp_grad_bs[::-1], [*fd_grad_Ws, *fd_grad_bs])]
largest_relative_error = max(errors)


# %% biases come first, and the comparison knows
def backward_pass(dL_dg, layer_caches):
    gW, gb = [], []
    for x, W, der in reversed(layer_caches):
        d = dL_dg * der
        gW.insert(0, x[:, :, None] * d[:, None, :])
        gb.insert(0, d[:, None, :])
        dL_dg = d @ W.T
    return gb, gW


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_bs, bp_grad_Ws = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
largest_relative_error = max(
    relative_error(a, b) for a, b in zip([*bp_grad_Ws, *bp_grad_bs], [*fd_grad_Ws, *fd_grad_bs])
)


# %% a list of pairs, one for each layer, and the comparison knows
def backward_pass(dL_dg, layer_caches):
    grads = []
    for x, W, der in reversed(layer_caches):
        d = dL_dg * der
        grads.insert(0, (x[:, :, None] * d[:, None, :], d[:, None, :]))
        dL_dg = d @ W.T
    return grads


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
grads = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
bp_grad_Ws, bp_grad_bs = [w for w, b in grads], [b for w, b in grads]
largest_relative_error = max(
    relative_error(a, b) for a, b in zip([*bp_grad_Ws, *bp_grad_bs], [*fd_grad_Ws, *fd_grad_bs])
)
