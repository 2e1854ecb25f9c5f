"""Right answers to backward_pass; the caches are the instructor's (x, W, dout_ds)."""
# ruff: noqa


# %% einsum, lists turned at the end
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    upstream = dL_dg
    for x, W, slope in layer_caches[::-1]:
        delta = upstream * slope
        grad_Ws.append(np.einsum("ni,nj->nij", x, delta))
        grad_bs.append(delta.reshape(len(x), 1, -1))
        upstream = np.einsum("nj,ij->ni", delta, W)
    return grad_Ws[::-1], grad_bs[::-1]


# %% np.outer for each example
def backward_pass(dL_dg, layer_caches):
    L = len(layer_caches)
    grad_Ws, grad_bs = [None] * L, [None] * L
    d = np.array(dL_dg)
    for l in range(L - 1, -1, -1):
        x, W, slope = layer_caches[l]
        d = d * slope
        grad_Ws[l] = np.array([np.outer(x[j], d[j]) for j in range(x.shape[0])])
        grad_bs[l] = np.array([[d[j]] for j in range(x.shape[0])])
        d = d.dot(W.T)
    return grad_Ws, grad_bs


# %% recursion, tuples
def backward_pass(dL_dg, layer_caches):
    if not len(layer_caches):
        return (), ()
    x, W, slope = layer_caches[-1]
    delta = np.multiply(dL_dg, slope)
    Ws, bs = backward_pass(delta @ W.T, layer_caches[:-1])
    return (*Ws, x[..., None] @ delta[:, None]), (*bs, delta[:, None])


# %% the caches are taken from the end of the list by pop
def backward_pass(dL_dg, layer_caches):
    layer_caches = list(layer_caches)
    grad_Ws, grad_bs = [], []
    while layer_caches:
        x, W, slope = layer_caches.pop()
        delta = dL_dg * slope
        grad_Ws.insert(0, np.matmul(x[:, :, np.newaxis], delta[:, np.newaxis, :]))
        grad_bs.insert(0, np.expand_dims(delta, 1))
        dL_dg = np.matmul(delta, np.transpose(W))
    return grad_Ws, grad_bs


# %% written in place into arrays made before
def backward_pass(dL_dg, layer_caches):
    n = dL_dg.shape[0]
    grad_Ws = [np.empty((n, *W.shape)) for _, W, _ in layer_caches]
    grad_bs = [np.empty((n, 1, W.shape[1])) for _, W, _ in layer_caches]
    delta = dL_dg.copy()
    for l in reversed(range(len(layer_caches))):
        x, W, slope = layer_caches[l]
        delta *= slope
        grad_bs[l][:, 0, :] = delta
        for i in range(W.shape[0]):
            grad_Ws[l][:, i, :] = x[:, i : i + 1] * delta
        delta = delta @ W.T
    return grad_Ws, grad_bs


# %% nested lists
def backward_pass(dL_dg, layer_caches):
    Ws, bs, d = [], [], dL_dg
    for x, W, slope in layer_caches[::-1]:
        delta = np.asarray(d) * slope
        Ws = [(x[:, :, None] * delta[:, None, :]).tolist()] + Ws
        bs = [delta[:, None, :].tolist()] + bs
        d = (W @ delta.T).T
    return [Ws, bs]


# %% four loops
def backward_pass(dL_dg, layer_caches):
    n = dL_dg.shape[0]
    L = len(layer_caches)
    grad_Ws = [np.zeros((n,) + layer_caches[l][1].shape) for l in range(L)]
    grad_bs = [np.zeros((n, 1, layer_caches[l][1].shape[1])) for l in range(L)]
    for k in range(n):
        dout = dL_dg[k]
        for l in range(L - 1, -1, -1):
            x, W, slope = layer_caches[l]
            dx = np.zeros(W.shape[0])
            for j in range(W.shape[1]):
                delta = dout[j] * slope[k, j]
                grad_bs[l][k, 0, j] = delta
                for i in range(W.shape[0]):
                    grad_Ws[l][k, i, j] = x[k, i] * delta
                    dx[i] += W[i, j] * delta
            dout = dx
    return grad_Ws, grad_bs


# %% Jacobians, a diagonal matrix for each example
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    row = dL_dg[:, None, :]  # (n, 1, d)
    for x, W, slope in layer_caches[::-1]:
        J = np.zeros((*slope.shape, slope.shape[1]))
        for j in range(len(slope)):
            J[j] = np.diag(slope[j])
        row = row @ J
        grad_bs = [row] + grad_bs
        grad_Ws = [x[:, :, None] @ row] + grad_Ws
        row = row @ W.T
    return grad_Ws, grad_bs


# %% a generator, last layer first, then zip
def _gradients(upstream, caches):
    for x, W, slope in caches[::-1]:
        delta = upstream * slope
        yield np.array([xi.reshape(-1, 1) * di for xi, di in zip(x, delta)]), delta[:, np.newaxis]
        upstream = (W @ delta.T).T


def backward_pass(dL_dg, layer_caches):
    pairs = list(_gradients(dL_dg, layer_caches))[::-1]
    Ws, bs = zip(*pairs)
    return list(Ws), list(bs)


# %% the bias as one more row of the weights, cut off at the end
def backward_pass(dL_dg, layer_caches):
    both, d = [], dL_dg
    for x, W, slope in reversed(layer_caches):
        x1 = np.concatenate([x, np.ones((len(x), 1))], axis=1)
        d = d * slope
        both.insert(0, x1[:, :, None] * d[:, None, :])
        d = d @ W.T
    return [G[:, :-1, :] for G in both], [G[:, -1:, :] for G in both]


# %% two object arrays
def backward_pass(dL_dg, layer_caches):
    L = len(layer_caches)
    gW, gb = np.empty(L, dtype=object), np.empty(L, dtype=object)
    for l in reversed(range(L)):
        x, W, slope = layer_caches[l]
        d = dL_dg * slope
        gW[l], gb[l] = np.einsum("ij,ik->ijk", x, d), d[:, None, :]
        dL_dg = np.einsum("ik,jk->ij", d, W)
    return gW, gb


# %% broadcast views that cannot be written
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    for x, W, slope in reversed(layer_caches):
        d = dL_dg * slope
        g = np.lib.stride_tricks.as_strided(x, (*x.shape, d.shape[1]), (*x.strides, 0)) * d[:, None, :]
        g.flags.writeable = False
        b = np.expand_dims(d, 1)
        Ws.insert(0, g); bs.insert(0, np.broadcast_to(b, b.shape))
        dL_dg = np.inner(d, W)
    return Ws, bs


# %% a progress bar and prints, NaN checked, try and finally
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, upstream = [], [], np.array(dL_dg)
    try:
        for k in hw_support.progress(range(len(layer_caches) - 1, -1, -1), "back"):
            x, W, slope = layer_caches[k]
            delta = upstream * slope
            print("delta", delta.shape, "x", x.shape)
            assert not np.isnan(delta).any()
            grad_Ws.append(np.matmul(x[:, :, None], delta[:, None, :]))
            grad_bs.append(delta[:, None, :])
            upstream = delta @ W.T
    finally:
        grad_Ws.reverse()
        grad_bs.reverse()
    return grad_Ws, grad_bs


# %% each layer deleted from the list of caches, from the end
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    while len(layer_caches):
        x, W, slope = layer_caches[-1]
        d = slope * dL_dg
        Ws[:0] = [x.reshape(*x.shape, 1) * d.reshape(len(d), 1, -1)]
        bs[:0] = [d.reshape(len(d), 1, -1)]
        dL_dg = (W @ d.T).T
        del layer_caches[-1]
    return Ws, bs


# %% long double, and a comprehension three deep
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    for x, W, slope in reversed(layer_caches):
        d = (dL_dg.astype(np.longdouble) * slope)
        Ws = [np.array([[[a * c for c in dj] for a in xj] for xj, dj in zip(x, d)])] + Ws
        bs = [d.reshape(d.shape[0], 1, d.shape[1])] + bs
        dL_dg = d.dot(W.T)
    return Ws, bs


# %% float32 throughout
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    upstream = np.float32(dL_dg)
    for x, W, slope in reversed([[np.float32(part) for part in cache] for cache in layer_caches]):
        delta = upstream * slope
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        upstream = delta @ W.T
    return grad_Ws, grad_bs


# %% the gradient of X comes third, and the comparison knows
def backward_pass(dL_dg, layer_caches):
    gW, gb = [], []
    up = dL_dg
    for x, W, der in reversed(layer_caches):
        d = up * der
        gW.insert(0, x[:, :, None] * d[:, None, :])
        gb.insert(0, d[:, None, :])
        up = d @ W.T
    return gW, gb, up


# %% + q1_3d
g, c = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs, _ = backward_pass(logistic_loss(g, y_ref)[1], c)
largest_relative_error = max(
    relative_error(a, b) for a, b in zip([*bp_grad_Ws, *bp_grad_bs], [*fd_grad_Ws, *fd_grad_bs])
)
