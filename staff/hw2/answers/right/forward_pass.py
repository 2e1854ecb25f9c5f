"""Right answers to forward_pass."""
# ruff: noqa


# %% indices
def forward_pass(X_batch, weight_matrices, biases, activations):
    caches = []
    h = X_batch
    for i in range(len(weight_matrices)):
        h, c = layer_forward(h, weight_matrices[i], biases[i], activations[i])
        caches += [c]
    return h, caches


# %% recursion
def forward_pass(X_batch, weight_matrices, biases, activations):
    if len(weight_matrices) == 0:
        return X_batch, []
    h, cache = layer_forward(X_batch, weight_matrices[0], biases[0], activations[0])
    out, others = forward_pass(h, weight_matrices[1:], biases[1:], activations[1:])
    return out, [cache] + others


# %% layer_forward written out
def forward_pass(X_batch, weight_matrices, biases, activations):
    x, caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        out, dout_ds = f(x.dot(W) + b)
        caches.append((x, W, dout_ds))
        x = out
    return x, caches


# %% functools.reduce
from functools import reduce


def forward_pass(X_batch, weight_matrices, biases, activations):
    def step(state, layer):
        out, cache = layer_forward(state[0], *layer)
        return out, state[1] + [cache]

    return reduce(step, zip(weight_matrices, biases, activations), (X_batch, []))


# %% a generator over the layers
def _layers(X, Ws, bs, fs):
    for W, b, f in zip(Ws, bs, fs):
        X, cache = layer_forward(X, W, b, f)
        yield X, cache


def forward_pass(X_batch, weight_matrices, biases, activations):
    outputs, caches = zip(*_layers(X_batch, weight_matrices, biases, activations))
    return outputs[-1], caches


# %% copies of the lists, emptied by pop
def forward_pass(X_batch, weight_matrices, biases, activations):
    Ws, bs, fs = list(weight_matrices), list(biases), list(activations)
    out, caches = X_batch.copy(), []
    while Ws:
        out, cache = layer_forward(out, Ws.pop(0), bs.pop(0), fs.pop(0))
        caches.append(cache)
    return np.array(out), caches


# %% the output as nested lists, in a list with the caches
def forward_pass(X_batch, weight_matrices, biases, activations):
    h = X_batch
    caches = [None] * len(activations)
    for l, f in enumerate(activations):
        h, caches[l] = layer_forward(h, weight_matrices[l], biases[l], f)
    return [np.asarray(h).tolist(), caches]


# %% a named tuple
from collections import namedtuple

ForwardResult = namedtuple("ForwardResult", ["output", "caches"])


def forward_pass(X_batch, weight_matrices, biases, activations):
    a, layerCaches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        a, c = layer_forward(a, W, b, f)
        layerCaches.append(c)
    return ForwardResult(output=a, caches=layerCaches)


# %% a class of the network
class Network:
    def __init__(self, Ws, bs, fs):
        self.layers = [*zip(Ws, bs, fs)]
        self.caches = []

    def __call__(self, X):
        for layer in self.layers:
            X, cache = layer_forward(X, *layer)
            self.caches += (cache,)
        return X


def forward_pass(X_batch, weight_matrices, biases, activations):
    net = Network(weight_matrices, biases, activations)
    return net(X_batch), net.caches


# %% X first in the list, and a backward_pass that knows
def forward_pass(X_batch, weight_matrices, biases, activations):
    caches = []
    h = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        h, cache = layer_forward(h, W, b, f)
        caches.append(cache)
    return h, [X_batch] + caches


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    X, *caches = layer_caches
    grad_Ws, grad_bs = [], []
    for x, W, slope in caches[::-1]:
        delta = dL_dg * slope
        grad_Ws.append(np.einsum("ni,nj->nij", x, delta))
        grad_bs.append(delta[:, None, :])
        dL_dg = delta @ W.T
    assert grad_Ws[-1].shape[:2] == X.shape
    return grad_Ws[::-1], grad_bs[::-1]


# %% np.dot written out, caches in an array of objects
def forward_pass(X_batch, weight_matrices, biases, activations):
    cs = np.empty(len(weight_matrices), dtype=object)
    h = X_batch
    for l, (W, b, f) in enumerate(zip(weight_matrices, biases, activations)):
        h, cs[l] = layer_forward(h, W, b, f)
    return h, cs


# %% the caches in a list that holds one dictionary
def forward_pass(X_batch, weight_matrices, biases, activations):
    book = {"x": [], "W": [], "slope": []}
    out = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        book["x"].append(out); book["W"].append(W)
        out, slope = f(out @ W + b)
        book["slope"].append(slope)
    return out, [book]


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    (book,) = layer_caches
    Ws, bs = [], []
    for x, W, slope in zip(*(book[k][::-1] for k in ("x", "W", "slope"))):
        delta = dL_dg * slope
        Ws.insert(0, x[:, :, None] * delta[:, None]); bs.insert(0, delta[:, None])
        dL_dg = delta @ W.T
    return Ws, bs


# %% a linked list from the last layer
def forward_pass(X_batch, weight_matrices, biases, activations):
    caches = ()
    for args in zip(weight_matrices, biases, activations, strict=True):
        X_batch, c = layer_forward(X_batch, *args)
        caches = c, caches
    return X_batch, caches


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    while layer_caches:
        (x, W, slope), layer_caches = layer_caches
        d = dL_dg * slope
        Ws.append(x[..., None] * d[:, None]); bs.append(d[:, None])
        dL_dg = d @ W.T
    return Ws[::-1], bs[::-1]


# %% blocks of two examples, put together
def forward_pass(X_batch, weight_matrices, biases, activations):
    outs, caches = [], []
    for i in range(0, len(X_batch), 2):
        x, mine = X_batch[i:i + 2], []
        for W, b, f in zip(weight_matrices, biases, activations):
            x, c = layer_forward(x, W, b, f)
            mine.append(c)
        outs.append(x); caches.append(mine)
    return np.vstack(outs), caches


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    parts, at = [], 0
    for mine in layer_caches:
        up = dL_dg[at:at + 2]; at += 2
        Ws, bs = [], []
        for x, W, slope in reversed(mine):
            d = up * slope
            Ws.insert(0, x[:, :, None] * d[:, None]); bs.insert(0, d[:, None])
            up = d @ W.T
        parts.append((Ws, bs))
    join = lambda k: [np.concatenate(g) for g in zip(*(p[k] for p in parts))]
    return join(0), join(1)


# %% one object holds the caches of all layers, and a backward_pass that reads it
class Tape:
    pass


def forward_pass(X_batch, weight_matrices, biases, activations):
    tape = Tape()
    tape.layers = []
    a = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        a, cache = layer_forward(a, W, b, f)
        tape.layers.append(cache)
    return a, [tape]


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    dWs, dbs = [], []
    d = dL_dg
    for x, W, da in reversed(layer_caches[0].layers):
        d = d * da
        dWs.append(x[:, :, None] @ d[:, None, :])
        dbs.append(d[:, None, :])
        d = d @ W.T
    return dWs[::-1], dbs[::-1]


# %% all layers put their pieces on one list, which is the cache of each of them
def forward_pass(X_batch, weight_matrices, biases, activations):
    x, tape = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        before = x
        x, slope = f(x @ W + b)
        tape.append((before, W, slope))
    return x, [tape] * len(weight_matrices)


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    for l in range(len(layer_caches) - 1, -1, -1):
        x, W, slope = layer_caches[l][l]
        delta = dL_dg * slope
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        dL_dg = delta @ W.T
    return grad_Ws, grad_bs


# %% the caches hold the whole network each
def forward_pass(X_batch, weight_matrices, biases, activations):
    x = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        x, slope = f(x @ W + b)
    return x, [(X_batch, [*weight_matrices], [*biases], [*activations])] * len(weight_matrices)


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    for l in range(len(layer_caches) - 1, -1, -1):
        x, Ws, bs, fs = layer_caches[l]
        for k in range(l):
            x = fs[k](x @ Ws[k] + bs[k])[0]
        delta = dL_dg * fs[l](x @ Ws[l] + bs[l])[1]
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        dL_dg = delta @ Ws[l].T
    return grad_Ws, grad_bs


# %% a micrograd Tensor of the whole batch, the root is the cache
class Tensor:
    def __init__(self, data, parents=(), back=None):
        self.data, self.parents, self.back, self.grad = data, parents, back, None

    def accumulate(self, g):
        self.grad = g if self.grad is None else self.grad + g


def affine(x, W, b):
    out = Tensor(x.data @ W.data + b.data, (x, W, b))

    def back():
        d = out.grad
        x.accumulate(d @ W.data.T)
        W.accumulate(np.einsum("ni,nj->nij", x.data, d))
        b.accumulate(d[:, None, :])

    out.back = back
    return out


def activate(s, f):
    value, slope = f(s.data)
    out = Tensor(value, (s,))
    out.back = lambda: s.accumulate(out.grad * slope)
    return out


def forward_pass(X_batch, weight_matrices, biases, activations):
    Ws, bs = [Tensor(W) for W in weight_matrices], [Tensor(b) for b in biases]
    t = Tensor(X_batch)
    for W, b, f in zip(Ws, bs, activations):
        t = activate(affine(t, W, b), f)
    t.parameters = Ws, bs
    return t.data, t


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    topo, seen = [], set()

    def build(v):
        if v not in seen:
            seen.add(v)
            for p in v.parents:
                build(p)
            topo.append(v)

    build(layer_caches)
    for node in topo:
        node.grad = None
    layer_caches.grad = np.array(dL_dg)
    for node in reversed(topo):
        if node.back:
            node.back()
    Ws, bs = layer_caches.parameters
    return [W.grad for W in Ws], [b.grad for b in bs]
