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


# %% one example after the other, stacked
def _one_example(d, caches, j):
    Ws, bs = [], []
    for x, W, slope in reversed(caches):
        delta = d * slope[j]
        Ws.insert(0, np.outer(x[j], delta))
        bs.insert(0, delta[None, :])
        d = W @ delta
    return Ws, bs


def backward_pass(dL_dg, layer_caches):
    singles = [_one_example(dL_dg[j], layer_caches, j) for j in range(len(dL_dg))]
    layers = range(len(layer_caches))
    grad_Ws = [np.stack([Ws[l] for Ws, _ in singles]) for l in layers]
    grad_bs = [np.stack([bs[l] for _, bs in singles]) for l in layers]
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


# %% a class that walks back
class Backward:
    def __init__(self, upstream):
        self.upstream, self.Ws, self.bs = upstream, [], []

    def layer(self, x, W, slope):
        delta = self.upstream * slope
        self.Ws.append(np.array([np.tensordot(a, b, axes=0) for a, b in zip(x, delta)]))
        self.bs.append(delta[:, None])
        self.upstream = np.inner(delta, W)


def backward_pass(dL_dg, layer_caches):
    walk = Backward(dL_dg)
    for cache in reversed(list(layer_caches)):
        walk.layer(*cache)
    return list(reversed(walk.Ws)), list(reversed(walk.bs))
