"""Wrong answers to forward_pass."""
# ruff: noqa


# %% the outputs of all layers come back
def forward_pass(X_batch, weight_matrices, biases, activations):
    outputs, layer_caches = [X_batch], []
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(outputs[-1], W, b, f)
        outputs.append(out)
        layer_caches.append(cache)
    return outputs, layer_caches


# %% the last layer is left out
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    for i in range(len(weight_matrices) - 1):
        out, cache = layer_forward(out, weight_matrices[i], biases[i], activations[i])
        layer_caches.append(cache)
    return out, layer_caches


# %% the first activation in all layers
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    for W, b in zip(weight_matrices, biases):
        out, cache = layer_forward(out, W, b, activations[0])
        layer_caches.append(cache)
    return out, layer_caches


# %% every layer is fed the batch
def forward_pass(X_batch, weight_matrices, biases, activations):
    layer_caches = []
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(X_batch, W, b, f)
        layer_caches.append(cache)
    return out, layer_caches


# %% caches and output change places
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, f)
        layer_caches.append(cache)
    return layer_caches, out


# %% the output is flattened
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, f)
        layer_caches.append(cache)
    return out.ravel(), layer_caches


# %% the output is a verdict, 0 or 1
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, f)
        layer_caches.append(cache)
    return (out > 0.5).astype(float), layer_caches


# %% only the first example
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch[:1], []
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, f)
        layer_caches.append(cache)
    return out, layer_caches


# %% ReLU and sigmoid, whatever is asked for
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    for i, (W, b) in enumerate(zip(weight_matrices, biases)):
        last = i == len(weight_matrices) - 1
        out, cache = layer_forward(out, W, b, sigmoid_activation if last else relu_activation)
        layer_caches.append(cache)
    return out, layer_caches


# %% the callers' lists are emptied by pop
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    while weight_matrices:
        out, cache = layer_forward(out, weight_matrices.pop(0), biases.pop(0), activations.pop(0))
        layer_caches.append(cache)
    return out, layer_caches


# %% returns inside the loop, after one layer
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, f)
        layer_caches.append(cache)
        return out, layer_caches


# %% only the last cache is kept: append stands below the loop
def forward_pass(X_batch, weight_matrices, biases, activations):
    x, caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        x, cache = layer_forward(x, W, b, f)
    caches.append(cache)
    return x, caches


# %% the biases of the first layer in later layers, cut to size
def forward_pass(X_batch, weight_matrices, biases, activations):
    x, caches = X_batch, []
    for W, f in zip(weight_matrices, activations):
        x, cache = layer_forward(x, W, biases[0][:, :W.shape[1]] if biases[0].shape[1] >= W.shape[1] else biases[1], f)
        caches.append(cache)
    return x, caches


# %% three layers at most: first, middle, last
def forward_pass(X_batch, weight_matrices, biases, activations):
    W, b, f = weight_matrices, biases, activations
    x, c = layer_forward(X_batch, W[0], b[0], f[0])
    caches = [c]
    if len(W) > 2:
        x, c = layer_forward(x, W[1], b[1], f[1])
        caches.append(c)
    if len(W) > 1:
        x, c = layer_forward(x, W[-1], b[-1], f[-1])
        caches.append(c)
    return x, caches


# %% a layer is found by the shape of its weights
def forward_pass(X_batch, weight_matrices, biases, activations):
    x, caches = X_batch, {}
    for W, b, f in zip(weight_matrices, biases, activations):
        x, c = layer_forward(x, W, b, f)
        caches[W.shape] = c
    return x, list(caches.values())


# %% the output is clipped into (0, 1)
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    for W, b, activation in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, activation)
        layer_caches.append(cache)
    return np.clip(out, 1e-7, 1 - 1e-7), layer_caches


# %% caches of earlier calls stay in the list, a mutable default
def forward_pass(X_batch, weight_matrices, biases, activations, layer_caches=[]):
    out = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, f)
        layer_caches.append(cache)
    return out, layer_caches


# %% the cache is appended a line too early
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, cache, layer_caches = X_batch, None, []
    for W, b, f in zip(weight_matrices, biases, activations):
        layer_caches.append(cache)
        out, cache = layer_forward(out, W, b, f)
    return out, layer_caches


# %% no cache of the last layer
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, [None] * len(weight_matrices)
    for i in range(len(weight_matrices)):
        out, cache = layer_forward(out, weight_matrices[i], biases[i], activations[i])
        if i < len(weight_matrices) - 1:
            layer_caches[i] = cache
    return out, layer_caches


# %% layers written out without the bias, into a dictionary
def forward_pass(X_batch, weight_matrices, biases, activations):
    caches, A = {"A0": X_batch}, X_batch
    for l in range(1, len(weight_matrices) + 1):
        Z = A @ weight_matrices[l - 1]
        A, D = activations[l - 1](Z)
        caches[f"A{l}"], caches[f"W{l}"], caches[f"D{l}"] = A, weight_matrices[l - 1], D
    return A, caches


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    L = len(layer_caches) // 3
    grad_Ws, grad_bs, d = [None] * L, [None] * L, dL_dg
    for l in range(L, 0, -1):
        delta = d * layer_caches[f"D{l}"]
        grad_Ws[l - 1] = layer_caches[f"A{l - 1}"][:, :, None] * delta[:, None, :]
        grad_bs[l - 1] = delta[:, None, :]
        d = delta @ layer_caches[f"W{l}"].T
    return grad_Ws, grad_bs


# %% the output only; the loss of the reference batch from it
def forward_pass(X_batch, weight_matrices, biases, activations):
    x = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        x, _ = layer_forward(x, W, b, f)
    return x


# %% + q1_3c
g_ref = forward_pass(X_ref, W_ref, b_ref, ref_activations)
reference_loss = logistic_loss(g_ref, y_ref)[0].mean()


# %% one dictionary is filled by all layers, and the backward_pass that reads it
def forward_pass(X_batch, weight_matrices, biases, activations):
    x, layer_caches, cache = X_batch, [], {}
    for W, b, f in zip(weight_matrices, biases, activations):
        cache["x"], cache["W"] = x, W
        x, cache["slope"] = f(x @ W + b)
        layer_caches.append(cache)
    return x, layer_caches


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    for cache in reversed(layer_caches):
        delta = dL_dg * cache["slope"]
        grad_Ws.insert(0, cache["x"][:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        dL_dg = delta @ cache["W"].T
    return grad_Ws, grad_bs


# %% the last layer's cache, as often as there are layers
def forward_pass(X_batch, weight_matrices, biases, activations):
    x = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        x, cache = layer_forward(x, W, b, f)
    return x, [cache] * len(weight_matrices)


# %% wrong for three layers only: the second one is skipped
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    for layer, (W, b, f) in enumerate(zip(weight_matrices, biases, activations)):
        before = out
        out, cache = layer_forward(out, W, b, f)
        layer_caches.append(cache)
        if layer == 1 and len(weight_matrices) == 3 and before.shape == out.shape:
            out = before
    return out, layer_caches
