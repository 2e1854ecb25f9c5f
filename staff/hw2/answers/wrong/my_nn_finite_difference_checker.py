"""Wrong answers to my_nn_finite_difference_checker: most use `differences`, which is right."""
# ruff: noqa


def losses(P, X, y, fs):
    g, _ = forward_pass(X, P[: len(fs)], P[len(fs) :], fs)
    return np.ravel(logistic_loss(g, y)[0])


def differences(P, X, y, fs, f=losses, h=1e-5, dtype=float):
    gradients = []
    for p in P:
        gradient = np.zeros((len(X), *p.shape), dtype=dtype)
        for i, j in np.ndindex(p.shape):
            kept, sides = p[i, j], []
            for moved in (kept + h, kept - h):
                p[i, j] = moved
                sides.append(f(P, X, y, fs))
            p[i, j] = kept
            gradient[:, i, j] = (sides[0] - sides[1]) / (2 * h)
        gradients.append(gradient)
    return gradients


def cut(gradients):
    return gradients[: len(gradients) // 2], gradients[len(gradients) // 2 :]


# %% /2*h divides by 2 and multiplies by h
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    P = [*weight_matrices, *biases]
    found = differences(P, X_batch, y_batch, activations, h=h)
    return cut([(gradient * 2 * h) / 2 * h for gradient in found])


# %% the whole matrix is moved at once
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, P, found = 1e-5, [*weight_matrices, *biases], []
    for k, p in enumerate(P):
        moved = [[*P[:k], p + by, *P[k + 1 :]] for by in (h, -h)]
        up, down = (losses(Q, X_batch, y_batch, activations) for Q in moved)
        found.append(np.ones((len(X_batch), *p.shape)) * ((up - down) / (2 * h))[:, None, None])
    return cut(found)


# %% differences of the mean loss, of the shapes of the parameters
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    f = lambda *network: np.mean(losses(*network))
    found = differences([*weight_matrices, *biases], X_batch, y_batch, activations, f)
    return cut([gradient[0] for gradient in found])


# %% backward_pass in place of differences
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    g, caches = forward_pass(X_batch, weight_matrices, biases, activations)
    _, dL_dg = logistic_loss(g, y_batch)
    return backward_pass(dL_dg, caches)


# %% differences for the biases, backward_pass for the weights
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    g, caches = forward_pass(X_batch, weight_matrices, biases, activations)
    grad_Ws, _ = backward_pass(logistic_loss(g, y_batch)[1], caches)
    _, grad_bs = cut(differences([*weight_matrices, *biases], X_batch, y_batch, activations))
    return grad_Ws, grad_bs


# %% backward_pass with noise of the size that differences have
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    g, caches = forward_pass(X_batch, weight_matrices, biases, activations)
    grad_Ws, grad_bs = backward_pass(logistic_loss(g, y_batch)[1], caches)
    noisy = lambda grad: grad * (1 + 1e-9 * np.random.randn(*np.shape(grad)))
    return [noisy(grad) for grad in grad_Ws], [noisy(grad) for grad in grad_bs]


# %% the entry is moved and not put back
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, P, found = 1e-5, [*weight_matrices, *biases], []
    for p in P:
        grad = np.zeros((len(X_batch), *p.shape))
        for i, j in np.ndindex(p.shape):
            down = losses(P, X_batch, y_batch, activations)
            p[i, j] += h
            grad[:, i, j] = (losses(P, X_batch, y_batch, activations) - down) / h
        found.append(grad)
    return cut(found)


# %% moved back by h only, so half the derivative comes out
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, P, found = 1e-5, [*weight_matrices, *biases], []
    for p in P:
        grad = np.zeros((len(X_batch), *p.shape))
        for i, j in np.ndindex(p.shape):
            kept = p[i, j]
            p[i, j] += h
            up = losses(P, X_batch, y_batch, activations)
            p[i, j] -= h
            grad[:, i, j] = (up - losses(P, X_batch, y_batch, activations)) / (2 * h)
            p[i, j] = kept
        found.append(grad)
    return cut(found)


# %% the gradients of the biases stay 0
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    grad_Ws, grad_bs = cut(
        differences([*weight_matrices, *biases], X_batch, y_batch, activations)
    )
    return grad_Ws, [0 * gradient for gradient in grad_bs]


# %% only the first column of each matrix
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    found = differences([*weight_matrices, *biases], X_batch, y_batch, activations)
    for gradient in found:
        gradient[:, :, 1:] = 0
    return cut(found)


# %% the step is 0.5
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    return cut(differences([*weight_matrices, *biases], X_batch, y_batch, activations, h=0.5))


# %% the step is 1e-15, and rounding is all that is left
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    return cut(differences([*weight_matrices, *biases], X_batch, y_batch, activations, h=1e-15))


# %% differences of the output, not of the loss
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    L = len(activations)
    f = lambda P, X, y, fs: forward_pass(X, P[:L], P[L:], fs)[0][:, 0]
    return cut(differences([*weight_matrices, *biases], X_batch, y_batch, activations, f))


# %% last layer first
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    found = differences([*weight_matrices, *biases], X_batch, y_batch, activations)
    return [side[::-1] for side in cut(found)]


# %% gradients of the biases have shape (n, d)
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    found = differences([*weight_matrices, *biases], X_batch, y_batch, activations)
    grad_Ws, grad_bs = cut(found)
    return grad_Ws, [gradient[:, 0, :] for gradient in grad_bs]


# %% two layers with ReLU and sigmoid, whatever is asked for
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    P = [weight_matrices[0], weight_matrices[1], biases[0], biases[1]]
    return cut(differences(P, X_batch, y_batch, [relu_activation, sigmoid_activation]))


# %% the copies of the lists hold the same arrays
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, P, found = 1e-5, [*weight_matrices, *biases], []
    for k, p in enumerate(P):
        grad = np.zeros((len(X_batch), *p.shape))
        for i, j in np.ndindex(p.shape):
            up, down = P.copy(), P.copy()
            up[k][i, j] += h
            down[k][i, j] -= h
            sides = [losses(moved, X_batch, y_batch, activations) for moved in (up, down)]
            grad[:, i, j] = (sides[0] - sides[1]) / (2 * h)
        found.append(grad)
    return cut(found)


# %% minus and plus change places
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    found = differences([*weight_matrices, *biases], X_batch, y_batch, activations)
    return cut([-gradient for gradient in found])


# %% gradients are kept in an array of the labels' type, int
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    P = [*weight_matrices, *biases]
    return cut(differences(P, X_batch, y_batch, activations, dtype=y_batch.dtype))


# %% float32 with a step of 1e-5
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    P = [np.array(p, dtype=np.float32) for p in [*weight_matrices, *biases]]

    def f(P, X, y, fs):
        g, _ = forward_pass(X, P[: len(fs)], P[len(fs) :], fs)
        return np.ravel(logistic_loss(np.asarray(g, dtype=np.float32), y)[0])

    return cut(differences(P, X_batch.astype(np.float32), y_batch, activations, f))


# %% each example's gradient is divided by n
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    f = lambda *network: losses(*network) / len(y_batch)
    return cut(differences([*weight_matrices, *biases], X_batch, y_batch, activations, f))


# %% only the last layer
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    found = cut(differences([*weight_matrices, *biases], X_batch, y_batch, activations))
    return [side[-1:] for side in found]


# %% nothing is returned
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    g, caches = forward_pass(X_batch, weight_matrices, biases, activations)
    losses, _ = logistic_loss(g, y_batch)


# %% right derivatives, and each entry stays moved by a step
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, P, found = 1e-5, [*weight_matrices, *biases], []
    for p in P:
        grad = np.zeros((len(X_batch), *p.shape))
        for i, j in np.ndindex(p.shape):
            p[i, j] += h
            up = losses(P, X_batch, y_batch, activations)
            p[i, j] -= 2 * h
            grad[:, i, j] = (up - losses(P, X_batch, y_batch, activations)) / (2 * h)
        found.append(grad)
    return cut(found)


# %% the list of activations is emptied by pop
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    fs = []
    while activations:
        fs.append(activations.pop(0))
    return cut(differences([*weight_matrices, *biases], X_batch, y_batch, fs))


# %% the first example's loss for all
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    f = lambda *network: losses(*network)[0]
    return cut(differences([*weight_matrices, *biases], X_batch, y_batch, activations, f))


# %% the mean over the batch, compared with means
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    f = lambda *network: np.mean(losses(*network))
    found = differences([*weight_matrices, *biases], X_batch, y_batch, activations, f)
    return cut([gradient[0] for gradient in found])


# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
errors = [relative_error(a.mean(axis=0), b) for a, b in zip(bp_grad_Ws + bp_grad_bs, [*fd_grad_Ws, *fd_grad_bs])]
largest_relative_error = max(errors)


# %% biases come first, and q1_3a knows
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    found = differences([*weight_matrices, *biases], X_batch, y_batch, activations)
    return cut(found)[::-1]


# %% + q1_3a
fd_grad_bs, fd_grad_Ws = my_nn_finite_difference_checker(
    X_ref, y_ref, W_ref, b_ref, ref_activations
)
print(fd_grad_Ws, fd_grad_bs)


# %% one list of all gradients, which q1_3a cuts
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    return differences([*weight_matrices, *biases], X_batch, y_batch, activations)


# %% + q1_3a
fd = my_nn_finite_difference_checker(X_ref, y_ref, W_ref, b_ref, ref_activations)
fd_grad_Ws, fd_grad_bs = fd[:2], fd[2:]
print(fd_grad_Ws, fd_grad_bs)


# %% the lists of weights and biases are emptied by pop
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    P = []
    for layers in (weight_matrices, biases):
        while layers:
            P.append(layers.pop(0))
    return cut(differences(P, X_batch, y_batch, activations))


# %% one-sided differences, h = 1e-6
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, P, found = 1e-6, [*weight_matrices, *biases], []
    here = losses(P, X_batch, y_batch, activations)
    for p in P:
        grad = np.zeros((len(X_batch), *p.shape))
        for i, j in np.ndindex(p.shape):
            kept = p[i, j]
            p[i, j] = kept + h
            grad[:, i, j] = (losses(P, X_batch, y_batch, activations) - here) / h
            p[i, j] = kept
        found.append(grad)
    return cut(found)


# %% the step is 0.1
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    return cut(differences([*weight_matrices, *biases], X_batch, y_batch, activations, h=0.1))


# %% the step is 0.01
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    return cut(differences([*weight_matrices, *biases], X_batch, y_batch, activations, h=0.01))


# %% the step is 1e-10
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    return cut(differences([*weight_matrices, *biases], X_batch, y_batch, activations, h=1e-10))
