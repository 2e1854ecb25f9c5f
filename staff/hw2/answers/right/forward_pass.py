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


# %% itertools.accumulate
from itertools import accumulate


def forward_pass(X_batch, weight_matrices, biases, activations):
    layers = zip(weight_matrices, biases, activations)
    steps = accumulate(layers, lambda st, p: layer_forward(st[0], *p), initial=(X_batch, None))
    outputs, caches = zip(*steps)
    return outputs[-1], list(caches[1:])


# %% a named tuple
from collections import namedtuple

ForwardResult = namedtuple("ForwardResult", ["output", "caches"])


def forward_pass(X_batch, weight_matrices, biases, activations):
    a, layerCaches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        a, c = layer_forward(a, W, b, f)
        layerCaches.append(c)
    return ForwardResult(output=a, caches=layerCaches)


# %% a dictionary of outputs, with asserts and prints
def forward_pass(X_batch, weight_matrices, biases, activations):
    L = len(weight_matrices)
    assert len(biases) == L and len(activations) == L
    A = {0: X_batch}
    layer_caches = {}
    for l in range(1, L + 1):
        A[l], layer_caches[l] = layer_forward(
            A[l - 1], weight_matrices[l - 1], biases[l - 1], activations[l - 1]
        )
        print("layer", l, "out", A[l].shape)
    return A[L], [layer_caches[l] for l in sorted(layer_caches)]


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


# %% a first layer, a loop over the middle, a last layer
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, cache = layer_forward(X_batch, weight_matrices[0], biases[0], activations[0])
    layer_caches = [cache]
    l = 1
    while l < len(weight_matrices):
        out, cache = layer_forward(out, weight_matrices[l], biases[l], activations[l])
        layer_caches.append(cache)
        l += 1
    return out, layer_caches


# %% copy.deepcopy of everything that is given
import copy
def forward_pass(X_batch, weight_matrices, biases, activations):
    x, Ws, bs, fs = copy.deepcopy((X_batch, weight_matrices, biases, activations))
    caches = []
    while Ws:
        x, c = layer_forward(x, Ws.pop(0), bs.pop(0), fs.pop(0))
        caches.append(c)
    return x, caches


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


# %% the caches in an ExitStack of callbacks
import contextlib
def forward_pass(X_batch, weight_matrices, biases, activations):
    stack = contextlib.ExitStack()
    out = X_batch
    for l, (W, b, f) in enumerate(zip(weight_matrices, biases, activations)):
        x = out
        out, slope = f(x @ W + b)
        def back(state, x=x, W=W, slope=slope):
            delta = state["up"] * slope
            state["W"].insert(0, np.einsum("na,nb->nab", x, delta))
            state["b"].insert(0, delta[:, None])
            state["up"] = delta @ W.T
        stack.callback(lambda back=back: back(stack.state))
    return out, stack

# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    layer_caches.state = {"up": dL_dg, "W": [], "b": []}
    layer_caches.close()
    return layer_caches.state["W"], layer_caches.state["b"]


# %% a structured match on the lists
def forward_pass(X_batch, weight_matrices, biases, activations):
    match [*zip(weight_matrices, biases, activations)]:
        case []:
            return X_batch, []
        case [(W, b, f), *rest]:
            out, cache = layer_forward(X_batch, W, b, f)
            g, more = forward_pass(out, [r[0] for r in rest], [r[1] for r in rest], [r[2] for r in rest])
            return g, [cache, *more]


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


# %% lru_cache over layers by index
import functools
def forward_pass(X_batch, weight_matrices, biases, activations):
    @functools.lru_cache(maxsize=None)
    def layer(l):
        x = X_batch if l == 0 else layer(l - 1)[0]
        return layer_forward(x, weight_matrices[l], biases[l], activations[l])
    L = len(weight_matrices)
    return layer(L - 1)[0], [layer(l)[1] for l in range(L)]


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


# %% None in front, so that caches are counted from 1, and a backward_pass that knows
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, [None]
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, f)
        layer_caches.append(cache)
    return out, layer_caches


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    L = len(layer_caches) - 1
    grad_Ws, grad_bs, dL_dout = [None] * L, [None] * L, dL_dg
    for l in range(L, 0, -1):
        x, W, slope = layer_caches[l]
        delta = dL_dout * slope
        grad_Ws[l - 1] = np.einsum("ni,nj->nij", x, delta)
        grad_bs[l - 1] = delta[:, np.newaxis, :]
        dL_dout = delta @ W.T
    return grad_Ws, grad_bs


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

# %% vjp closures, JAX style
def vjp_layer(W, b, f, x):
    out, pull = layer_forward(x, W, b, f)
    return out, pull


def forward_pass(X_batch, weight_matrices, biases, activations):
    pulls = []
    h = X_batch
    for p in zip(weight_matrices, biases, activations):
        h, pull = vjp_layer(*p, h)
        pulls = [pull, *pulls]
    return h, pulls
# %% + layer_forward
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)

    def pull(up):
        delta = up * slope
        return delta @ W.T, x[:, :, None] * delta[:, None, :], delta[:, None, :]

    return out, pull
# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    up, back = dL_dg, []
    for pull in layer_caches:
        up, *grads = pull(up)
        back.append(grads)
    grad_Ws, grad_bs = zip(*back[::-1])
    return grad_Ws, grad_bs
