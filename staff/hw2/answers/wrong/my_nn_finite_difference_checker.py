"""Wrong answers to my_nn_finite_difference_checker."""
# ruff: noqa


# %% /2*h divides by 2 and multiplies by h
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros((len(X_batch), *P.shape))
        for i in range(P.shape[0]):
            for j in range(P.shape[1]):
                kept = P[i, j]
                P[i, j] = kept + h
                up = losses()
                P[i, j] = kept - h
                down = losses()
                P[i, j] = kept
                grad[:, i, j] = (up - down) / 2 * h
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]


# %% the whole matrix is moved at once
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses(Ws, bs):
        g, _ = forward_pass(X_batch, Ws, bs, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grad_Ws, grad_bs = [], []
    for l in range(len(weight_matrices)):
        up, down = list(weight_matrices), list(weight_matrices)
        up[l], down[l] = up[l] + h, down[l] - h
        d = (losses(up, biases) - losses(down, biases)) / (2 * h)
        grad_Ws.append(np.ones((len(X_batch), *weight_matrices[l].shape)) * d[:, None, None])
        up, down = list(biases), list(biases)
        up[l], down[l] = up[l] + h, down[l] - h
        d = (losses(weight_matrices, up) - losses(weight_matrices, down)) / (2 * h)
        grad_bs.append(np.ones((len(X_batch), *biases[l].shape)) * d[:, None, None])
    return grad_Ws, grad_bs


# %% differences of the mean loss, repeated for each example
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def mean_loss():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.mean(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            kept = P[i, j]
            P[i, j] = kept + h
            up = mean_loss()
            P[i, j] = kept - h
            down = mean_loss()
            P[i, j] = kept
            grad[:, i, j] = (up - down) / (2 * h)
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]


# %% differences of the mean loss, of the shapes of the parameters
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def mean_loss():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.mean(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros_like(P)
        for i, j in np.ndindex(P.shape):
            kept = P[i, j]
            P[i, j] = kept + h
            up = mean_loss()
            P[i, j] = kept - h
            down = mean_loss()
            P[i, j] = kept
            grad[i, j] = (up - down) / (2 * h)
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]


# %% backward_pass in place of differences
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    g, caches = forward_pass(X_batch, weight_matrices, biases, activations)
    _, dL_dg = logistic_loss(g, y_batch)
    return backward_pass(dL_dg, caches)


# %% differences for the biases, backward_pass for the weights
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    g, caches = forward_pass(X_batch, weight_matrices, biases, activations)
    grad_Ws, _ = backward_pass(logistic_loss(g, y_batch)[1], caches)

    def losses(bs):
        g, _ = forward_pass(X_batch, weight_matrices, bs, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grad_bs = []
    for l, b in enumerate(biases):
        grad = np.zeros((len(X_batch), *b.shape))
        for j in range(b.shape[1]):
            up, down = [c.copy() for c in biases], [c.copy() for c in biases]
            up[l][0, j] += h
            down[l][0, j] -= h
            grad[:, 0, j] = (losses(up) - losses(down)) / (2 * h)
        grad_bs.append(grad)
    return grad_Ws, grad_bs


# %% backward_pass with noise of the size that differences have
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    g, caches = forward_pass(X_batch, weight_matrices, biases, activations)
    grad_Ws, grad_bs = backward_pass(logistic_loss(g, y_batch)[1], caches)
    noisy = lambda grad: grad * (1 + 1e-9 * np.random.randn(*np.shape(grad)))
    return [noisy(grad) for grad in grad_Ws], [noisy(grad) for grad in grad_bs]


# %% the entry is moved and not put back
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            down = losses()
            P[i, j] += h
            grad[:, i, j] = (losses() - down) / h
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]


# %% moved back by h only, so half the derivative comes out
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            kept = P[i, j]
            P[i, j] += h
            up = losses()
            P[i, j] -= h
            down = losses()
            P[i, j] = kept
            grad[:, i, j] = (up - down) / (2 * h)
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]


# %% the gradients of the biases stay 0
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, n = 1e-5, len(X_batch)

    def losses(Ws):
        g, _ = forward_pass(X_batch, Ws, biases, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grad_Ws = [np.zeros((n, *W.shape)) for W in weight_matrices]
    grad_bs = [np.zeros((n, *b.shape)) for b in biases]
    for l, W in enumerate(weight_matrices):
        for i, j in np.ndindex(W.shape):
            up, down = [V.copy() for V in weight_matrices], [V.copy() for V in weight_matrices]
            up[l][i, j] += h
            down[l][i, j] -= h
            grad_Ws[l][:, i, j] = (losses(up) - losses(down)) / (2 * h)
    return grad_Ws, grad_bs


# %% only the first column of each matrix
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros((len(X_batch), *P.shape))
        for i in range(len(P)):
            kept = P[i, 0]
            P[i, 0] = kept + h
            up = losses()
            P[i, 0] = kept - h
            down = losses()
            P[i, 0] = kept
            grad[:, i, 0] = (up - down) / (2 * h)
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]


# %% the step is 0.5
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, layers = 0.5, len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def losses(P):
        g, _ = forward_pass(X_batch, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            up, down = [Q.copy() for Q in parameters], [Q.copy() for Q in parameters]
            up[k][i, j] += h
            down[k][i, j] -= h
            grad[:, i, j] = (losses(up) - losses(down)) / (2 * h)
        grads.append(grad)
    return grads[:layers], grads[layers:]


# %% the step is 1e-15, and rounding is all that is left
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, layers = 1e-15, len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def losses(P):
        g, _ = forward_pass(X_batch, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            up, down = [Q.copy() for Q in parameters], [Q.copy() for Q in parameters]
            up[k][i, j] += h
            down[k][i, j] -= h
            grad[:, i, j] = (losses(up) - losses(down)) / (2 * h)
        grads.append(grad)
    return grads[:layers], grads[layers:]


# %% differences of the output, not of the loss
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    layers = len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def outputs(P):
        return forward_pass(X_batch, P[:layers], P[layers:], activations)[0][:, 0]

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            grad[:, i, j] = finite_difference_checker(outputs, parameters, (k, i, j))
        grads.append(grad)
    return grads[:layers], grads[layers:]


# %% last layer first
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    layers = len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def losses(P):
        g, _ = forward_pass(X_batch, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            grad[:, i, j] = finite_difference_checker(losses, parameters, (k, i, j))
        grads.append(grad)
    return grads[:layers][::-1], grads[layers:][::-1]


# %% gradients of the biases have shape (n, d)
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    layers = len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def losses(P):
        g, _ = forward_pass(X_batch, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            grad[:, i, j] = finite_difference_checker(losses, parameters, (k, i, j))
        grads.append(grad)
    return grads[:layers], [grad[:, 0, :] for grad in grads[layers:]]


# %% two layers with ReLU and sigmoid, whatever is asked for
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    parameters = [weight_matrices[0], weight_matrices[1], biases[0], biases[1]]

    def losses(P):
        h, _ = layer_forward(X_batch, P[0], P[2], relu_activation)
        g, _ = layer_forward(h, P[1], P[3], sigmoid_activation)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            grad[:, i, j] = finite_difference_checker(losses, parameters, (k, i, j))
        grads.append(grad)
    return grads[:2], grads[2:]


# %% the copies of the lists hold the same arrays
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, layers = 1e-5, len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def losses(P):
        g, _ = forward_pass(X_batch, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            up, down = parameters.copy(), parameters.copy()
            up[k][i, j] += h
            down[k][i, j] -= h
            grad[:, i, j] = (losses(up) - losses(down)) / (2 * h)
        grads.append(grad)
    return grads[:layers], grads[layers:]


# %% minus and plus change places
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, layers = 1e-5, len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def losses(P):
        g, _ = forward_pass(X_batch, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            up, down = [Q.copy() for Q in parameters], [Q.copy() for Q in parameters]
            up[k][i, j] += h
            down[k][i, j] -= h
            grad[:, i, j] = (losses(down) - losses(up)) / (2 * h)
        grads.append(grad)
    return grads[:layers], grads[layers:]


# %% gradients are kept in an array of the labels' type, int
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    layers = len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def losses(P):
        g, _ = forward_pass(X_batch, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape), dtype=y_batch.dtype)
        for i, j in np.ndindex(P.shape):
            grad[:, i, j] = finite_difference_checker(losses, parameters, (k, i, j))
        grads.append(grad)
    return grads[:layers], grads[layers:]


# %% float32 with a step of 1e-5
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    layers = len(weight_matrices)
    X = X_batch.astype(np.float32)
    parameters = [np.array(P, dtype=np.float32) for P in [*weight_matrices, *biases]]

    def losses(P):
        g, _ = forward_pass(X, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(np.asarray(g, dtype=np.float32), y_batch)[0])

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            grad[:, i, j] = finite_difference_checker(losses, parameters, (k, i, j))
        grads.append(grad)
    return grads[:layers], grads[layers:]


# %% each example's gradient is divided by n
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    layers = len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def losses(P):
        g, _ = forward_pass(X_batch, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0]) / len(y_batch)

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            grad[:, i, j] = finite_difference_checker(losses, parameters, (k, i, j))
        grads.append(grad)
    return grads[:layers], grads[layers:]


# %% only the last layer
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    layers = len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def losses(P):
        g, _ = forward_pass(X_batch, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grads = []
    for k in (layers - 1, 2 * layers - 1):
        grad = np.zeros((len(X_batch), *parameters[k].shape))
        for i, j in np.ndindex(parameters[k].shape):
            grad[:, i, j] = finite_difference_checker(losses, parameters, (k, i, j))
        grads.append(grad)
    return grads[:1], grads[1:]


# %% nothing is returned
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    g, caches = forward_pass(X_batch, weight_matrices, biases, activations)
    losses, _ = logistic_loss(g, y_batch)


# %% right derivatives, and each entry stays moved by a step
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros((len(X_batch), *P.shape))
        for i in np.ndindex(P.shape):
            P[i] += h
            up = losses()
            P[i] -= 2 * h
            grad[(slice(None), *i)] = (up - losses()) / (2 * h)
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]


# %% the second side is taken from the other label's loss
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    out = []
    for kind in (weight_matrices, biases):
        grads = []
        for P in kind:
            G = np.zeros((len(X_batch), *P.shape))
            for k in np.ndindex(P.shape):
                old = P[k]
                P[k] = old + h
                a = np.ravel(logistic_loss(forward_pass(X_batch, weight_matrices, biases, activations)[0], y_batch)[0])
                P[k] = old - h
                b = np.ravel(logistic_loss(forward_pass(X_batch, weight_matrices, biases, activations)[0], 1 - y_batch)[0])
                P[k] = old
                G[(..., *k)] = (a - b) / (2 * h)
            grads.append(G)
        out.append(grads)
    return out


# %% the list of activations is emptied by pop
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    fs = []
    while activations:
        fs.append(activations.pop(0))
    out = []
    for kind in (weight_matrices, biases):
        grads = []
        for P in kind:
            G = np.zeros((len(X_batch), *P.shape))
            for k in np.ndindex(P.shape):
                old = P[k]
                sides = []
                for z in (h, -h):
                    P[k] = old + z
                    sides.append(np.ravel(logistic_loss(forward_pass(X_batch, weight_matrices, biases, fs)[0], y_batch)[0]))
                P[k] = old
                G[(..., *k)] = (sides[0] - sides[1]) / (2 * h)
            grads.append(G)
        out.append(grads)
    return out


# %% the first example's loss for all
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    out = []
    for kind in (weight_matrices, biases):
        grads = []
        for P in kind:
            G = np.zeros((len(X_batch), *P.shape))
            for k in np.ndindex(P.shape):
                old = P[k]
                sides = []
                for z in (h, -h):
                    P[k] = old + z
                    sides.append(np.ravel(logistic_loss(forward_pass(X_batch, weight_matrices, biases, activations)[0], y_batch)[0])[0])
                P[k] = old
                G[(..., *k)] = (sides[0] - sides[1]) / (2 * h)
            grads.append(G)
        out.append(grads)
    return out


# %% an index too far; the answer is bound below the function [no value]
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    grad_Ws = [np.zeros((len(X_batch), *W.shape)) for W in weight_matrices]
    return [weight_matrices[len(grad_Ws)]], biases

fd_grad_Ws, fd_grad_bs = my_nn_finite_difference_checker(X_ref, y_ref, W_ref, b_ref, ref_activations)

# %% + q1_3a
print(fd_grad_Ws, fd_grad_bs)


# %% the mean over the batch, compared with means
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def loss():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.mean(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros(P.shape)
        for i in np.ndindex(P.shape):
            kept = P[i]
            P[i] = kept + h
            up = loss()
            P[i] = kept - h
            down = loss()
            P[i] = kept
            grad[i] = (up - down) / (2 * h)
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]

# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
errors = [relative_error(a.mean(axis=0), b) for a, b in zip(bp_grad_Ws + bp_grad_bs, [*fd_grad_Ws, *fd_grad_bs])]
largest_relative_error = max(errors)


# %% biases come first, and q1_3a knows
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    P, L = [*weight_matrices, *biases], len(weight_matrices)
    f = lambda p: np.ravel(
        logistic_loss(forward_pass(X_batch, p[:L], p[L:], activations)[0], y_batch)[0]
    )
    G = []
    for i, p in enumerate(P):
        g = np.empty((len(X_batch), *p.shape))
        for r, c in np.ndindex(p.shape):
            g[:, r, c] = finite_difference_checker(f, P, (i, r, c))
        G.append(g)
    return G[L:], G[:L]


# %% + q1_3a
fd_grad_bs, fd_grad_Ws = my_nn_finite_difference_checker(
    X_ref, y_ref, W_ref, b_ref, ref_activations
)
print(fd_grad_Ws, fd_grad_bs)


# %% one list of all gradients, which q1_3a cuts
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    P, L = [*weight_matrices, *biases], len(weight_matrices)
    f = lambda p: np.ravel(
        logistic_loss(forward_pass(X_batch, p[:L], p[L:], activations)[0], y_batch)[0]
    )
    G = []
    for i, p in enumerate(P):
        g = np.empty((len(X_batch), *p.shape))
        for r, c in np.ndindex(p.shape):
            g[:, r, c] = finite_difference_checker(f, P, (i, r, c))
        G.append(g)
    return G


# %% + q1_3a
fd = my_nn_finite_difference_checker(X_ref, y_ref, W_ref, b_ref, ref_activations)
fd_grad_Ws, fd_grad_bs = fd[:2], fd[2:]
print(fd_grad_Ws, fd_grad_bs)


# %% the lists of weights and biases are emptied by pop
def my_nn_finite_difference_checker(
    X_batch, y_batch, weight_matrices, biases, activations
):
    L, parameters = len(weight_matrices), []
    for layers in (weight_matrices, biases):
        while layers:
            parameters.append(layers.pop(0))

    def losses(P):
        g, _ = forward_pass(X_batch, P[:L], P[L:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    gradients = [np.zeros((len(X_batch), *P.shape)) for P in parameters]
    for i, P in enumerate(parameters):
        for row, column in np.ndindex(P.shape):
            gradients[i][:, row, column] = finite_difference_checker(
                losses, parameters, (i, row, column)
            )
    return gradients[:L], gradients[L:]


# %% one-sided differences, h = 1e-6
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-6

    def losses(Ws, bs):
        g, _ = forward_pass(X_batch, Ws, bs, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    here = losses(weight_matrices, biases)
    grad_Ws = [np.zeros((len(X_batch), *W.shape)) for W in weight_matrices]
    grad_bs = [np.zeros((len(X_batch), *b.shape)) for b in biases]
    for l, (W, b) in enumerate(zip(weight_matrices, biases)):
        for i, j in np.ndindex(W.shape):
            moved = [V.copy() for V in weight_matrices]
            moved[l][i, j] += h
            grad_Ws[l][:, i, j] = (losses(moved, biases) - here) / h
        for i, j in np.ndindex(b.shape):
            moved = [c.copy() for c in biases]
            moved[l][i, j] += h
            grad_bs[l][:, i, j] = (losses(weight_matrices, moved) - here) / h
    return grad_Ws, grad_bs
