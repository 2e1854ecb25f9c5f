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
