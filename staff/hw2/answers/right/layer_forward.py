"""Right answers to layer_forward; the cache is laid out as the instructor's backward_pass reads it."""
# ruff: noqa


# %% np.dot, bias row added
def layer_forward(x, W, b, activation_fn):
    s = np.dot(x, W) + b
    out, d = activation_fn(s)
    return out, [x, W, d]


# %% a column of ones for the bias
def layer_forward(x, W, b, activation_fn):
    extended = np.hstack([x, np.ones((len(x), 1))])
    s = extended @ np.vstack([W, b])
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


# %% the activation on the flat s
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b
    out, slope = activation_fn(s.ravel())
    return np.reshape(out, s.shape), (x, W, np.reshape(slope, s.shape))


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


# %% a thread calls the activation
import concurrent.futures

def layer_forward(x, W, b, activation_fn):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        out, slope = pool.submit(activation_fn, x @ W + b).result()
    return out, (x, W, slope)


# %% inspect is asked for the activation's parameters
import inspect

def layer_forward(x, W, b, activation_fn):
    if len(inspect.signature(activation_fn).parameters) < 1:
        raise TypeError("an activation takes s")
    out, slope = activation_fn(x @ W + b)
    return out, (x, W, slope)


# %% a generator function with two yields
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(np.inner(x, W.T) + b)
    yield out
    yield x, W, slope


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
