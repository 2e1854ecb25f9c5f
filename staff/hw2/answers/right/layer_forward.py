"""Right answers to layer_forward; the cache is laid out as the instructor's backward_pass reads it."""
# ruff: noqa


# %% np.dot, bias row added
def layer_forward(x, W, b, activation_fn):
    s = np.dot(x, W) + b
    out, d = activation_fn(s)
    return out, [x, W, d]


# %% einsum
def layer_forward(x, W, b, activation_fn):
    s = np.einsum("nd,de->ne", x, W) + b
    pair = activation_fn(s)
    return pair[0], (x, W, pair[1])


# %% a column of ones for the bias
def layer_forward(x, W, b, activation_fn):
    extended = np.hstack([x, np.ones((len(x), 1))])
    s = extended @ np.vstack([W, b])
    out, d = activation_fn(s)
    return out, (x, W, d)


# %% example by example
def layer_forward(x, W, b, activation_fn):
    s = np.stack([row @ W + b[0] for row in x])
    out, d = activation_fn(s)
    return out, (x, W, d)


# %% three loops
def layer_forward(x, W, b, activation_fn):
    n, d_in = x.shape
    d_out = W.shape[1]
    s = np.zeros((n, d_out))
    for i in range(n):
        for j in range(d_out):
            s[i, j] = b[0, j]
            for k in range(d_in):
                s[i, j] += x[i, k] * W[k, j]
    out, slope = activation_fn(s)
    return out, (x, W, slope)


# %% by broadcasting and a sum
def layer_forward(x, W, b, activation_fn):
    s = (x[:, :, np.newaxis] * W[np.newaxis]).sum(axis=1)
    s += b
    out, d = activation_fn(s)
    return out, (x.copy(), W.copy(), d)


# %% transposed and back
def layer_forward(x, W, b, activation_fn):
    s = (W.T @ x.T + b.T).T
    out, d = activation_fn(s)
    return out, (x, W, d)


# %% the activation is called twice
def layer_forward(x, W, b, activation_fn):
    return activation_fn(x @ W + b)[0], (x, W, activation_fn(x @ W + b)[1])


# %% the output as nested lists
def layer_forward(x, W, b, activation_fn):
    out, d = activation_fn(np.matmul(x, W) + b)
    return np.asarray(out).tolist(), (np.asarray(x), np.asarray(W), np.asarray(d))


# %% the activation row by row
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b
    out = np.zeros_like(s)
    dout_ds = np.zeros_like(s)
    for i in range(s.shape[0]):
        out[i], dout_ds[i] = activation_fn(s[i])
    return out, (x, W, dout_ds)


# %% batches of one row, stacked
def layer_forward(x, W, b, activation_fn):
    pairs = [activation_fn(x[[i]] @ W + b) for i in range(len(x))]
    out = np.vstack([pair[0] for pair in pairs])
    return out, (x, W, np.vstack([pair[1] for pair in pairs]))


# %% the activation number by number
def layer_forward(x, W, b, activation_fn):
    s = np.dot(x, W) + b
    out, grad = np.empty(s.shape), np.empty(s.shape)
    for i in range(s.shape[0]):
        for j in range(s.shape[1]):
            out[i, j], grad[i, j] = activation_fn(s[i, j])
    return out, (x, W, grad)


# %% np.vectorize of the activation
def layer_forward(x, W, b, activation_fn):
    out, slope = np.vectorize(activation_fn, otypes=[float, float])(x @ W + b)
    return out, (x, W, slope)


# %% the activation on arrays of one number
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b
    results = [activation_fn(np.array([v])) for v in s.ravel()]
    out = np.array([r[0][0] for r in results]).reshape(s.shape)
    return out, (x, W, np.array([r[1][0] for r in results]).reshape(s.shape))


# %% the activation on the flat s
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b
    out, slope = activation_fn(s.ravel())
    return np.reshape(out, s.shape), (x, W, np.reshape(slope, s.shape))


# %% unit by unit
def layer_forward(x, W, b, activation_fn):
    columns, slopes = [], []
    for unit in range(W.shape[1]):
        out, slope = activation_fn(x @ W[:, unit] + b[0, unit])
        columns.append(out)
        slopes.append(slope)
    return np.column_stack(columns), (x, W, np.column_stack(slopes))


# %% ones beside x, the bias below W, by np.concatenate
def layer_forward(x, W, b, activation_fn):
    x1 = np.concatenate((np.ones((x.shape[0], 1)), x), axis=1)
    Wb = np.concatenate((b, W), axis=0)
    out, dout = activation_fn(x1 @ Wb)
    return out, (x1[:, 1:], Wb[1:], dout)


# %% a sum of outer products
def layer_forward(x, W, b, activation_fn):
    s = np.tile(b, (len(x), 1)).astype(float)
    for k in range(x.shape[1]):
        s += np.outer(x[:, k], W[k, :])
    out, slope = activation_fn(s)
    return out, (x, W, slope)


# %% np.matmul by broadcasting, one row matrix for each example
def layer_forward(x, W, b, activation_fn):
    s = np.matmul(x[:, np.newaxis, :], W) + b
    out, slope = activation_fn(np.squeeze(s, axis=1))
    return out, (x, W, slope)


# %% np.tensordot, asserts, type annotations
from typing import Callable


def layer_forward(x: np.ndarray, W: np.ndarray, b: np.ndarray, activation_fn: Callable):
    n, d_in = x.shape
    assert W.shape[0] == d_in, f"W has {W.shape[0]} rows, x has {d_in} columns"
    assert b.shape == (1, W.shape[1])
    preact = np.tensordot(x, W, axes=(1, 0))
    preact = np.add(preact, np.broadcast_to(b, preact.shape))
    act, dact = activation_fn(preact)
    assert act.shape == preact.shape
    return act, (x, W, dact)


# %% a callable class, the cache is an attribute
class Dense:
    def __init__(self, weights, bias, f):
        self.weights, self.bias, self.f = weights, bias, f
        self.cache = None

    def __call__(self, inputs):
        z = np.inner(inputs, self.weights.T) + self.bias
        a, da = self.f(z)
        self.cache = inputs, self.weights, da
        return a


def layer_forward(x, W, b, activation_fn):
    layer = Dense(W, b, activation_fn)
    return layer(x), layer.cache


# %% a dictionary as cache, and the backward_pass that reads it
def layer_forward(x, W, b, activation_fn):
    cache = {"x": x, "W": W, "b": b, "activation": activation_fn}
    cache["s"] = x @ W + b
    out, cache["grad"] = activation_fn(cache["s"])
    return out, cache


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws = []
    grad_bs = []
    dout = dL_dg
    for i in range(len(layer_caches) - 1, -1, -1):
        cache = layer_caches[i]
        ds = dout * cache["grad"]
        grad_Ws.append(cache["x"][:, :, None] @ ds[:, None, :])
        grad_bs.append(ds[:, None, :])
        dout = ds @ cache["W"].T
    grad_Ws.reverse()
    grad_bs.reverse()
    return grad_Ws, grad_bs


# %% the derivative is left for backward_pass, in a closure
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b

    def slope():
        return activation_fn(x @ W + b)[1]

    return activation_fn(s)[0], (x, W, slope)


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    gW, gb = [], []
    for x, W, slope in reversed(layer_caches):
        dL_dg = dL_dg * slope()
        gW.insert(0, np.array([np.outer(x[i], dL_dg[i]) for i in range(len(x))]))
        gb.insert(0, dL_dg[:, None])
        dL_dg = dL_dg @ W.T
    return gW, gb


# %% the cache is a coroutine that waits for the upstream
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    def wait():
        upstream = yield
        delta = upstream * slope
        yield x[:, :, None] * delta[:, None, :], delta[:, None, :], delta @ W.T
    waiting = wait()
    next(waiting)
    return out, waiting

# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    for waiting in layer_caches[::-1]:
        W, b, dL_dg = waiting.send(dL_dg)
        Ws.append(W); bs.append(b)
    return Ws[::-1], bs[::-1]


# %% the cache is bytes of an npz file
import io

def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    file = io.BytesIO()
    np.savez(file, x=x, W=W, slope=slope)
    return out, file.getvalue()

# %% + backward_pass
import io

def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    for raw in reversed(layer_caches):
        kept = np.load(io.BytesIO(raw))
        delta = dL_dg * kept["slope"]
        Ws.insert(0, np.einsum("ni,nj->nij", kept["x"], delta))
        bs.insert(0, delta[:, None])
        dL_dg = delta @ kept["W"].T
    return Ws, bs


# %% the cache is a frozen dataclass with slots
from dataclasses import dataclass
from typing import Any

@dataclass(frozen=True, slots=True)
class Kept:
    x: Any
    W: Any
    slope: Any

    def back(self, upstream):
        delta = upstream * self.slope
        return np.einsum("ni,nj->nij", self.x, delta), delta[:, None, :], delta @ self.W.T

def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    return out, Kept(x=x, W=W, slope=slope)

# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    for kept in layer_caches[::-1]:
        a, b, dL_dg = kept.back(dL_dg)
        Ws = [a] + Ws
        bs = [b] + bs
    return Ws, bs


# %% the activation's name is printed
def layer_forward(x, W, b, activation_fn):
    assert callable(activation_fn), "an activation is a function"
    print("layer", W.shape, activation_fn.__name__)
    out, slope = activation_fn(np.add(np.matmul(x, W), b))
    return out, (x, W, slope)


# %% np.matrix inside
def layer_forward(x, W, b, activation_fn):
    s = np.asmatrix(x) * np.asmatrix(W) + np.asmatrix(b)
    out, slope = activation_fn(np.asarray(s))
    return np.asmatrix(out), (x, W, slope)


# %% a thread computes the sum, in Fortran order
import threading

def layer_forward(x, W, b, activation_fn):
    result = {}
    def work():
        result["s"] = np.asfortranarray(x @ W + b)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    out, slope = activation_fn(result["s"])
    return out, (x, W, slope)


# %% a thread calls the activation
import concurrent.futures

def layer_forward(x, W, b, activation_fn):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        out, slope = pool.submit(activation_fn, x @ W + b).result()
    return out, (x, W, slope)


# %% the activation by map, unpacked from an iterator
def layer_forward(x, W, b, activation_fn):
    ((out, slope),) = map(activation_fn, [x.dot(W) + b])
    return out, (x, W, slope)


# %% inspect is asked for the activation's parameters
import inspect

def layer_forward(x, W, b, activation_fn):
    if len(inspect.signature(activation_fn).parameters) < 1:
        raise TypeError("an activation takes s")
    out, slope = activation_fn(x @ W + b)
    return out, (x, W, slope)


# %% the cache holds the function, called again by backward_pass
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b
    out, _ = activation_fn(s)
    return out, dict(x=x.copy(), W=W.copy(), s=s, f=activation_fn)

# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    Ws, bs = [], []
    for c in reversed(layer_caches):
        delta = dL_dg * c["f"](c["s"])[1]
        Ws.insert(0, c["x"][:, :, None] * delta[:, None])
        bs.insert(0, delta[:, None])
        dL_dg = delta @ c["W"].T
    return Ws, bs


# %% math.fsum over lists of Python floats
import math
def layer_forward(x, W, b, activation_fn):
    s = [[math.fsum([*(p * q for p, q in zip(row, col)), bias]) for col, bias in zip(W.T.tolist(), b[0].tolist())] for row in x.tolist()]
    out, slope = activation_fn(np.array(s))
    return out, [x, W, slope]


# %% a generator function with two yields
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(np.inner(x, W.T) + b)
    yield out
    yield x, W, slope


# %% the cache is kept in float32
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    return out, tuple(np.float32(each) for each in (x, W, slope))


# %% float32 throughout
def layer_forward(x, W, b, activation_fn):
    x, W, b = (np.float32(each) for each in (x, W, b))
    out, slope = activation_fn(x @ W + b)
    return out, (x, W, slope)


# %% all caches on one list that grows, and the entry comes back
layers_so_far = []


def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    layers_so_far.append((x, W, slope))
    return out, layers_so_far[len(layers_so_far) - 1]

# %% nn.Module look-alike: Linear object with forward and backward is the cache
class Module:
    def __call__(self, *a):
        return self.forward(*a)


class Linear(Module):
    def __init__(self, W, b):
        self.weight, self.bias = W, b
        self.grad = {}

    def forward(self, x):
        self.input = x
        return x @ self.weight + self.bias

    def backward(self, grad_output):
        self.grad["weight"] = np.stack([np.outer(a, d) for a, d in zip(self.input, grad_output)])
        self.grad["bias"] = grad_output[:, None, :]
        return grad_output @ self.weight.T


class Activation(Module):
    def __init__(self, fn):
        self.fn = fn

    def forward(self, s):
        out, self.slope = self.fn(s)
        return out

    def backward(self, grad_output):
        return grad_output * self.slope


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = modules

    def forward(self, x):
        for m in self.modules:
            x = m(x)
        return x

    def backward(self, d):
        for m in reversed(self.modules):
            d = m.backward(d)
        return d


def layer_forward(x, W, b, activation_fn):
    block = Sequential(Linear(W, b), Activation(activation_fn))
    return block(x), block
# %% + forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    blocks = []
    out = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        out, block = layer_forward(out, W, b, f)
        blocks.append(block)
    return out, Sequential(*blocks)
# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    layer_caches.backward(dL_dg)
    linears = [block.modules[0] for block in layer_caches.modules]
    return [m.grad["weight"] for m in linears], [m.grad["bias"] for m in linears]

# %% a global counter of layers and a global dictionary, key comes back
CACHES = {}
layer_counter = 0


def layer_forward(x, W, b, activation_fn):
    global layer_counter
    layer_counter += 1
    out, slope = activation_fn(x @ W + b)
    CACHES["layer%d" % layer_counter] = {"x": x, "W": W, "slope": slope}
    return out, "layer%d" % layer_counter
# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, up = [], [], dL_dg
    for name in reversed(layer_caches):
        c = CACHES[name]
        delta = up * c["slope"]
        grad_Ws.insert(0, c["x"][..., None] * delta[:, None])
        grad_bs.insert(0, delta[:, None])
        up = np.einsum("no,io->ni", delta, c["W"])
    return grad_Ws, grad_bs
