"""Wrong answers to backward_pass: most change one piece of `walked`, which is right.

The caches are the instructor's (x, W, dout_ds).
"""
# ruff: noqa


def outer(x, delta):
    return x[:, :, None] * delta[:, None, :]


def row(x, delta):
    return delta[:, None, :]


def walked(
    dL_dg,
    layer_caches,
    of_W=outer,
    of_b=row,
    delta_of=lambda d, slope: d * slope,
    back=lambda delta, W: delta @ W.T,
):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, dout_ds in reversed(layer_caches):
        delta = delta_of(d, dout_ds)
        grad_Ws.insert(0, of_W(x, delta))
        grad_bs.insert(0, of_b(x, delta))
        d = back(delta, W)
    return grad_Ws, grad_bs


# %% the sum over the batch
def backward_pass(dL_dg, layer_caches):
    def of_b(x, delta):
        return delta.sum(axis=0, keepdims=True)

    return walked(dL_dg, layer_caches, lambda x, delta: x.T @ delta, of_b)


# %% each example's gradient is divided by n
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = walked(dL_dg, layer_caches)
    return [W / len(dL_dg) for W in grad_Ws], [b / len(dL_dg) for b in grad_bs]


# %% 1/n in each layer on the way back
def backward_pass(dL_dg, layer_caches):
    return walked(dL_dg, layer_caches, back=lambda delta, W: delta @ W.T / len(delta))


# %% the mean, repeated for each example
def backward_pass(dL_dg, layer_caches):
    return [
        [np.repeat(gradient.mean(axis=0, keepdims=True), len(dL_dg), axis=0) for gradient in side]
        for side in walked(dL_dg, layer_caches)
    ]


# %% reshaped where it should be transposed
def backward_pass(dL_dg, layer_caches):
    return walked(dL_dg, layer_caches, back=lambda delta, W: delta @ W.reshape(W.shape[::-1]))


# %% the derivative of the activation is forgotten
def backward_pass(dL_dg, layer_caches):
    return walked(dL_dg, layer_caches, delta_of=lambda d, slope: d)


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
    return walked(dL_dg, layer_caches, of_b=lambda x, delta: delta)


# %% gradients of the biases are summed over the batch
def backward_pass(dL_dg, layer_caches):
    def of_b(x, delta):
        return np.sum(delta, axis=0, keepdims=True)

    return walked(dL_dg, layer_caches, of_b=of_b)


# %% the outer product the other way round
def backward_pass(dL_dg, layer_caches):
    return walked(dL_dg, layer_caches, lambda x, delta: outer(delta, x))


# %% the sign of a step: everything is negative
def backward_pass(dL_dg, layer_caches):
    return walked(-dL_dg, layer_caches)


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
    return walked(np.ones_like(dL_dg), layer_caches)


# %% the caller's dL_dg is multiplied where it lies
def backward_pass(dL_dg, layer_caches):
    def delta_of(d, slope):
        d *= slope
        return d

    return walked(dL_dg, layer_caches, delta_of=delta_of)


# %% the derivative of ReLU in every layer
def backward_pass(dL_dg, layer_caches):
    return walked(dL_dg, layer_caches, delta_of=lambda d, slope: d * (slope > 0))


# %% axes of length 1 are squeezed away
def backward_pass(dL_dg, layer_caches):
    return [[*map(np.squeeze, gradients)] for gradients in walked(dL_dg, layer_caches)]


# %% gradients are clipped to 1
def backward_pass(dL_dg, layer_caches):
    return [[np.clip(G, -1, 1) for G in gradients] for gradients in walked(dL_dg, layer_caches)]


# %% the examples in reversed order
def backward_pass(dL_dg, layer_caches):
    return walked(dL_dg, layer_caches, lambda x, delta: outer(x, delta)[::-1])


# %% nothing is returned
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = walked(dL_dg, layer_caches)


# %% the deltas' examples are averaged before they are handed on
def backward_pass(dL_dg, layer_caches):
    def back(delta, W):
        return np.repeat((delta @ W.T).mean(axis=0, keepdims=True), len(delta), axis=0)

    return walked(dL_dg, layer_caches, back=back)


# %% gradients of the biases are multiplied by the sum of x
def backward_pass(dL_dg, layer_caches):
    def of_b(x, delta):
        return (delta * x.sum(axis=1, keepdims=True))[:, None]

    return walked(dL_dg, layer_caches, of_b=of_b)


# %% the size of x in place of x
def backward_pass(dL_dg, layer_caches):
    return walked(dL_dg, layer_caches, lambda x, delta: outer(np.abs(x), delta))


# %% a share of the weights is added, as for weight decay
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = walked(dL_dg, layer_caches)
    return [G + 1e-3 * W for G, (_, W, _) in zip(grad_Ws, layer_caches)], grad_bs


# %% three layers at most
def backward_pass(dL_dg, layer_caches):
    return walked(dL_dg, layer_caches[-3:])


# %% the derivative in the cache is that before the bias is added
def backward_pass(dL_dg, layer_caches):
    return walked(dL_dg, layer_caches)


# %% + layer_forward
def layer_forward(x, W, b, activation_fn):
    s = x @ W
    _, slope = activation_fn(s)
    out, _ = activation_fn(s + b)
    return out, (x, W, slope)


# %% the mean over the batch, compared with means
def backward_pass(dL_dg, layer_caches):
    def of_b(x, delta):
        return delta.mean(axis=0, keepdims=True)

    return walked(dL_dg, layer_caches, lambda x, delta: x.T @ delta / len(x), of_b)


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
errors = [relative_error(a, b.mean(axis=0)) for a, b in zip(bp_grad_Ws + bp_grad_bs, [*fd_grad_Ws, *fd_grad_bs])]
largest_relative_error = max(errors)


# %% last layer first, and compared in this order
def backward_pass(dL_dg, layer_caches):
    return [gradients[::-1] for gradients in walked(dL_dg, layer_caches)]


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
errors = [relative_error(a, b) for a, b in zip(bp_grad_Ws[::-1] + bp_grad_bs[::-1], [*fd_grad_Ws, *fd_grad_bs])]
largest_relative_error = max(errors)


# %% biases come first, and the comparison knows
def backward_pass(dL_dg, layer_caches):
    return walked(dL_dg, layer_caches)[::-1]


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_bs, bp_grad_Ws = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
largest_relative_error = max(
    relative_error(a, b) for a, b in zip([*bp_grad_Ws, *bp_grad_bs], [*fd_grad_Ws, *fd_grad_bs])
)


# %% a list of pairs, one for each layer, and the comparison knows
def backward_pass(dL_dg, layer_caches):
    return [*zip(*walked(dL_dg, layer_caches))]


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
grads = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
bp_grad_Ws, bp_grad_bs = [w for w, b in grads], [b for w, b in grads]
largest_relative_error = max(
    relative_error(a, b) for a, b in zip([*bp_grad_Ws, *bp_grad_bs], [*fd_grad_Ws, *fd_grad_bs])
)
