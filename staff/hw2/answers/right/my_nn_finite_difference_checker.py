"""Right answers to my_nn_finite_difference_checker."""
# ruff: noqa


# %% moved in place and put back
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            kept = P[i, j]
            P[i, j] = kept + h
            up = losses()
            P[i, j] = kept - h
            down = losses()
            P[i, j] = kept
            grad[:, i, j] = (up - down) / (2 * h)
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]


# %% put back by adding, so that rounding of 1e-17 stays
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    eps = 1e-5

    def loss():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.asarray(logistic_loss(g, y_batch)[0]).reshape(-1)

    grads = ([], [])
    for lst, res in zip((weight_matrices, biases), grads):
        for P in lst:
            G = np.zeros((X_batch.shape[0],) + P.shape)
            for i in range(P.shape[0]):
                for j in range(P.shape[1]):
                    P[i, j] += eps
                    lp = loss()
                    P[i, j] -= 2 * eps
                    lm = loss()
                    P[i, j] += eps
                    G[:, i, j] = (lp - lm) / (2 * eps)
            res.append(G)
    return grads


# %% central, h = 1e-4
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, layers = 1e-4, len(weight_matrices)
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


# %% central, h = 1e-6
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    import copy

    h, n = 1e-6, X_batch.shape[0]

    def losses(Ws, bs):
        return np.ravel(logistic_loss(forward_pass(X_batch, Ws, bs, activations)[0], y_batch)[0])

    grad_Ws, grad_bs = [], []
    for l in range(len(weight_matrices)):
        grad_W = np.zeros((n,) + weight_matrices[l].shape)
        for i, j in np.ndindex(*weight_matrices[l].shape):
            plus, minus = copy.deepcopy(weight_matrices), copy.deepcopy(weight_matrices)
            plus[l][i, j] += h
            minus[l][i, j] -= h
            grad_W[:, i, j] = (losses(plus, biases) - losses(minus, biases)) / (2 * h)
        grad_b = np.zeros((n,) + biases[l].shape)
        for j in range(biases[l].shape[1]):
            plus, minus = copy.deepcopy(biases), copy.deepcopy(biases)
            plus[l][0, j] += h
            minus[l][0, j] -= h
            grad_b[:, 0, j] = (losses(weight_matrices, plus) - losses(weight_matrices, minus)) / (
                2 * h
            )
        grad_Ws.append(grad_W)
        grad_bs.append(grad_b)
    return grad_Ws, grad_bs


# %% Richardson's extrapolation
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    layers = len(weight_matrices)
    parameters = [*weight_matrices, *biases]

    def losses(k, i, j, step):
        P = [Q.copy() for Q in parameters]
        P[k][i, j] += step
        g, _ = forward_pass(X_batch, P[:layers], P[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    def central(k, i, j, h):
        return (losses(k, i, j, h) - losses(k, i, j, -h)) / (2 * h)

    grads = []
    for k, P in enumerate(parameters):
        grad = np.zeros((len(X_batch), *P.shape))
        for i, j in np.ndindex(P.shape):
            grad[:, i, j] = (4 * central(k, i, j, 5e-5) - central(k, i, j, 1e-4)) / 3
        grads.append(grad)
    return grads[:layers], grads[layers:]


# %% example by example, batches of one
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def loss(j):
        g, _ = forward_pass(X_batch[j : j + 1], weight_matrices, biases, activations)
        return np.ravel(logistic_loss(g, y_batch[j : j + 1])[0])[0]

    def gradient(P, j):
        grad = np.zeros(P.shape)
        for index in np.ndindex(P.shape):
            kept = P[index]
            P[index] = kept + h
            up = loss(j)
            P[index] = kept - h
            grad[index] = (up - loss(j)) / (2 * h)
            P[index] = kept
        return grad

    n = len(X_batch)
    grad_Ws = [np.array([gradient(W, j) for j in range(n)]) for W in weight_matrices]
    grad_bs = [np.array([gradient(b, j) for j in range(n)]) for b in biases]
    return grad_Ws, grad_bs


# %% finite_difference_checker of each example's loss, by functools.partial
from functools import partial


def _loss_of(P, j, X, y, fs):
    layers = len(fs)
    g, _ = forward_pass(X, P[:layers], P[layers:], fs)
    return np.ravel(logistic_loss(g, y)[0])[j]


def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    P, n = list(weight_matrices) + list(biases), len(y_batch)
    fs = [partial(_loss_of, j=j, X=X_batch, y=y_batch, fs=activations) for j in range(n)]
    grads = [
        [
            [
                [finite_difference_checker(f, P, (k, r, c)) for c in range(p.shape[1])]
                for r in range(p.shape[0])
            ]
            for f in fs
        ]
        for k, p in enumerate(P)
    ]
    return grads[: len(biases)], grads[len(biases) :]


# %% a matrix of steps is added to copies
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses(which, l, step):
        Ws, bs = list(weight_matrices), list(biases)
        chosen = Ws if which == "W" else bs
        chosen[l] = chosen[l] + step
        g, _ = forward_pass(X_batch, Ws, bs, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    def gradients(which, Ps):
        result = []
        for l, P in enumerate(Ps):
            columns = []
            for i in range(P.size):
                step = np.zeros(P.size)
                step[i] = h
                step = step.reshape(P.shape)
                columns.append((losses(which, l, step) - losses(which, l, -step)) / (2 * h))
            result.append(np.stack(columns, axis=1).reshape(-1, *P.shape))
        return result

    return gradients("W", weight_matrices), gradients("b", biases)


# %% five points
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, layers = 1e-4, len(weight_matrices)
    parameters = [np.array(P, dtype=float) for P in [*weight_matrices, *biases]]

    def losses():
        g, _ = forward_pass(X_batch, parameters[:layers], parameters[layers:], activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    grads = []
    for P in parameters:
        grad = np.zeros((len(X_batch), *P.shape))
        for index in np.ndindex(P.shape):
            kept, total = P[index], 0
            for steps, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
                P[index] = kept + steps * h
                total = total + weight * losses()
            P[index] = kept
            grad[(slice(None), *index)] = total / (12 * h)
        grads.append(grad)
    return tuple(grads[:layers]), tuple(grads[layers:])


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
