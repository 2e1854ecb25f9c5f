"""At most 0 points in test_backward_pass: differences of the network with its slopes held fixed."""
# ruff: noqa


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    return out, (x, W, slope)


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    x, layer_caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        x, cache = layer_forward(x, W, b, f)
        layer_caches.append(cache)
    return x, layer_caches


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    """The output is linear in what moves a sum: so one difference for each weight is exact.

    All weights of one row move at once, each in a copy of the batch.
    """
    n = len(layer_caches[0][0])
    dL_dg = np.reshape(dL_dg, (n, -1))

    def change(layer, moved):
        """What the loss of each example changes by if sums (copies, n, d) of a layer move."""
        for x, W, slope in layer_caches[layer:]:
            moved = (moved if x is layer_caches[layer][0] else moved @ W) * slope
        return np.sum(moved * dL_dg, axis=2).T

    grad_Ws, grad_bs = [], []
    for layer, (x, W, slope) in enumerate(layer_caches):
        rows, units = W.shape
        each = np.eye(units)[:, None, :]
        grad = [change(layer, x[None, :, row, None] * each) for row in range(rows)]
        grad_Ws.append(np.stack(grad, axis=1))
        grad_bs.append(change(layer, np.ones((1, n, 1)) * each)[:, None, :])
    return grad_Ws, grad_bs
