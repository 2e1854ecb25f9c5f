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


# %% a loss of its own, which needs g of shape (n,)
def flat_loss(g, y):
    assert g.ndim == 1
    return -(y * np.log(g) + (1 - y) * np.log(1 - g))


def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    eps = 1e-5

    def grads_of(params):
        result = []
        for p in params:
            grad = np.zeros((len(y_batch),) + p.shape)
            for i in range(p.shape[0]):
                for j in range(p.shape[1]):
                    old = p[i, j]
                    p[i, j] = old + eps
                    g_plus = forward_pass(X_batch, weight_matrices, biases, activations)[0]
                    p[i, j] = old - eps
                    g_minus = forward_pass(X_batch, weight_matrices, biases, activations)[0]
                    p[i, j] = old
                    diff = flat_loss(g_plus[:, 0], y_batch) - flat_loss(g_minus[:, 0], y_batch)
                    grad[:, i, j] = diff / (2 * eps)
            result.append(grad)
        return result

    return grads_of(weight_matrices), grads_of(biases)


# %% logistic_loss takes a flat g as well, and gets one
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def L(Ws, bs):
        g, _ = forward_pass(X_batch, Ws, bs, activations)
        loss, _ = logistic_loss(g.flatten(), y_batch)
        return loss

    grad_Ws, grad_bs = [], []
    for l in range(len(weight_matrices)):
        grad_Ws.append(np.empty((len(X_batch), *weight_matrices[l].shape)))
        for i, j in np.ndindex(*weight_matrices[l].shape):
            plus = [W.copy() for W in weight_matrices]
            minus = [W.copy() for W in weight_matrices]
            plus[l][i, j] += h
            minus[l][i, j] -= h
            grad_Ws[l][:, i, j] = (L(plus, biases) - L(minus, biases)) / (2 * h)
        grad_bs.append(np.empty((len(X_batch), *biases[l].shape)))
        for i, j in np.ndindex(*biases[l].shape):
            plus = [b.copy() for b in biases]
            minus = [b.copy() for b in biases]
            plus[l][i, j] += h
            minus[l][i, j] -= h
            grad_bs[l][:, i, j] = (L(weight_matrices, plus) - L(weight_matrices, minus)) / (2 * h)
    return grad_Ws, grad_bs


# %% + logistic_loss
def logistic_loss(g, y):
    g = np.squeeze(g, axis=-1) if np.ndim(g) == 2 else g
    loss = -y * np.log(g) - (1 - y) * np.log(1 - g)
    return loss, (-y / g + (1 - y) / (1 - g)).reshape(-1, 1)


# %% one row at a time, as a 1-D example
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def one_loss(x, label):
        g, _ = forward_pass(x, weight_matrices, biases, activations)
        p = g.item()
        return -np.log(p) if label == 1 else -np.log(1 - p)

    def measure(P):
        G = np.zeros((len(X_batch), P.shape[0], P.shape[1]))
        for k, (x, label) in enumerate(zip(X_batch, y_batch)):
            for i in range(P.shape[0]):
                for j in range(P.shape[1]):
                    P[i, j] += h
                    f1 = one_loss(x, label)
                    P[i, j] -= 2 * h
                    f2 = one_loss(x, label)
                    P[i, j] += h
                    G[k, i, j] = (f1 - f2) / (2 * h)
        return G

    return [measure(W) for W in weight_matrices], [measure(b) for b in biases]


# %% forward_pass has an option of the student's own
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations, keep_caches=False)
        return np.ravel(logistic_loss(g, y_batch)[0])

    results = []
    for P in [*weight_matrices, *biases]:
        G = np.zeros((len(X_batch), *P.shape))
        for index, value in np.ndenumerate(P.copy()):
            P[index] = value + h
            G[(slice(None), *index)] = losses()
            P[index] = value - h
            G[(slice(None), *index)] -= losses()
            P[index] = value
        results.append(G / (2 * h))
    return results[: len(weight_matrices)], results[len(weight_matrices) :]


# %% + forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations, keep_caches=True):
    x, layer_caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        x, cache = layer_forward(x, W, b, f)
        if keep_caches:
            layer_caches.append(cache)
    return x, layer_caches


# %% forward_pass returns a named tuple, read by its name
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    Ws = [W.astype(float).copy() for W in weight_matrices]
    bs = [b.astype(float).copy() for b in biases]

    def losses():
        return logistic_loss(forward_pass(X_batch, Ws, bs, activations).output, y_batch)[0].ravel()

    def differences(P, step=1e-5):
        flat = P.reshape(-1)  # a view
        columns = []
        for k in range(flat.size):
            flat[k] += step
            plus = losses()
            flat[k] -= 2 * step
            minus = losses()
            flat[k] += step
            columns.append((plus - minus) / (2 * step))
        return np.array(columns).T.reshape(len(X_batch), *P.shape)

    return [differences(W) for W in Ws], [differences(b) for b in bs]


# %% + forward_pass
from collections import namedtuple

Forward = namedtuple("Forward", "output caches")


def forward_pass(X_batch, weight_matrices, biases, activations):
    out, caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, f)
        caches.append(cache)
    return Forward(out, caches)


# %% forward_pass returns a dataclass that unpacks
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    def loss_at(which, layer, place, step):
        moved = {"W": list(weight_matrices), "b": list(biases)}
        moved[which][layer] = moved[which][layer].copy()
        moved[which][layer][place] += step
        result = forward_pass(X_batch, moved["W"], moved["b"], activations)
        return np.ravel(logistic_loss(result.output, y_batch)[0])

    h = 1e-5
    grads = {"W": [], "b": []}
    for which, arrays in (("W", weight_matrices), ("b", biases)):
        for layer, array in enumerate(arrays):
            grad = np.zeros((X_batch.shape[0],) + array.shape)
            for place in np.ndindex(array.shape):
                up = loss_at(which, layer, place, h)
                down = loss_at(which, layer, place, -h)
                grad[:, place[0], place[1]] = (up - down) / (2 * h)
            grads[which].append(grad)
    return grads["W"], grads["b"]


# %% + forward_pass
from dataclasses import dataclass, field


@dataclass
class Result:
    output: np.ndarray
    caches: list = field(default_factory=list)

    def __iter__(self):
        return iter((self.output, self.caches))


def forward_pass(X_batch, weight_matrices, biases, activations):
    result = Result(X_batch)
    for W, b, f in zip(weight_matrices, biases, activations):
        result.output, cache = layer_forward(result.output, W, b, f)
        result.caches.append(cache)
    return result


# %% one long vector of parameters, packed and unpacked
def pack(arrays):
    return np.concatenate([a.ravel() for a in arrays])


def unpack(theta, shapes):
    arrays, start = [], 0
    for shape in shapes:
        size = shape[0] * shape[1]
        arrays.append(theta[start : start + size].reshape(shape))
        start += size
    return arrays


def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    shapes = [p.shape for p in list(weight_matrices) + list(biases)]
    theta = pack(list(weight_matrices) + list(biases))
    L, h = len(weight_matrices), 1e-5

    def f(theta):
        arrays = unpack(theta, shapes)
        g, _ = forward_pass(X_batch, arrays[:L], arrays[L:], activations)
        return logistic_loss(g, y_batch)[0].reshape(-1)

    steps = h * np.eye(len(theta))
    jacobian = np.array([(f(theta + e) - f(theta - e)) / (2 * h) for e in steps])  # (P, n)
    rows = [unpack(column, shapes) for column in jacobian.T]
    grads = [np.stack([row[k] for row in rows]) for k in range(len(shapes))]
    return grads[:L], grads[L:]


# %% a context manager moves the entry and puts it back
from contextlib import contextmanager


@contextmanager
def nudged(array, index, by):
    before = array[index]
    array[index] = before + by
    try:
        yield
    finally:
        array[index] = before


def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    n = X_batch.shape[0]
    grad_Ws = [np.zeros((n, *W.shape)) for W in weight_matrices]
    grad_bs = [np.zeros((n, *b.shape)) for b in biases]
    for P, G in zip([*weight_matrices, *biases], [*grad_Ws, *grad_bs]):
        for index in np.ndindex(P.shape):
            ends = []
            for sign in (+1, -1):
                with nudged(P, index, sign * h):
                    g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
                    ends.append(np.ravel(logistic_loss(g, y_batch)[0]))
            G[:, index[0], index[1]] = (ends[0] - ends[1]) / (2 * h)
    return grad_Ws, grad_bs


# %% layers before the one that is moved are run once, by layer_forward
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, L = 1e-5, len(weight_matrices)
    inputs = [X_batch]
    for W, b, f in zip(weight_matrices, biases, activations):
        inputs.append(layer_forward(inputs[-1], W, b, f)[0])

    def losses_from(l, W, b):
        out, _ = layer_forward(inputs[l], W, b, activations[l])
        out, _ = forward_pass(out, weight_matrices[l + 1 :], biases[l + 1 :], activations[l + 1 :])
        return np.ravel(logistic_loss(out, y_batch)[0])

    grad_Ws, grad_bs = [], []
    for l in range(L):
        W, b = weight_matrices[l], biases[l]
        gW, gb = np.zeros((len(X_batch), *W.shape)), np.zeros((len(X_batch), *b.shape))
        for i in range(W.shape[0]):
            for j in range(W.shape[1]):
                E = np.zeros(W.shape)
                E[i, j] = h
                gW[:, i, j] = (losses_from(l, W + E, b) - losses_from(l, W - E, b)) / (2 * h)
        for j in range(b.shape[1]):
            e = np.zeros(b.shape)
            e[0, j] = h
            gb[:, 0, j] = (losses_from(l, W, b + e) - losses_from(l, W, b - e)) / (2 * h)
        grad_Ws.append(gW)
        grad_bs.append(gb)
    return grad_Ws, grad_bs


# %% finite_difference_checker with a key of three, lists of lists reshaped
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    n = len(X_batch)

    def loss_of_weights(Ws):
        return np.ravel(logistic_loss(forward_pass(X_batch, Ws, biases, activations)[0], y_batch)[0])

    def loss_of_biases(bs):
        g = forward_pass(X_batch, weight_matrices, bs, activations)[0]
        return np.ravel(logistic_loss(g, y_batch)[0])

    grad_Ws = [
        np.moveaxis(
            [
                [finite_difference_checker(loss_of_weights, weight_matrices, (l, i, j)) for j in range(W.shape[1])]
                for i in range(W.shape[0])
            ],
            -1,
            0,
        )
        for l, W in enumerate(weight_matrices)
    ]
    grad_bs = [
        np.transpose(
            [[finite_difference_checker(loss_of_biases, biases, (l, 0, j)) for j in range(b.shape[1])]],
            (2, 0, 1),
        )
        for l, b in enumerate(biases)
    ]
    assert all(G.shape[0] == n for G in grad_Ws + grad_bs)
    return grad_Ws, grad_bs


# %% another usual relative error, defined in the cell of q1_3d
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    L = len(weight_matrices)
    params = [p.copy() for p in weight_matrices] + [p.copy() for p in biases]
    grads = [np.zeros((len(X_batch),) + p.shape) for p in params]
    for p, grad in zip(params, grads):
        it = np.nditer(p, flags=["multi_index"], op_flags=["readwrite"])
        for entry in it:
            old = float(entry)
            entry[...] = old + h
            g, _ = forward_pass(X_batch, params[:L], params[L:], activations)
            fp = np.ravel(logistic_loss(g, y_batch)[0])
            entry[...] = old - h
            g, _ = forward_pass(X_batch, params[:L], params[L:], activations)
            fm = np.ravel(logistic_loss(g, y_batch)[0])
            entry[...] = old
            grad[(slice(None),) + it.multi_index] = (fp - fm) / (2 * h)
    return grads[:L], grads[L:]


# %% + q1_3d
def relative_error(x, y):
    """returns the relative error, as in CS231n"""
    return np.max(np.abs(x - y) / (np.maximum(1e-8, np.abs(x) + np.abs(y))))


g_two, caches_two = forward_pass(X_ref, W_ref, b_ref, ref_activations)
_, dL_dg_two = logistic_loss(g_two, y_ref)
bp_grad_Ws, bp_grad_bs = backward_pass(dL_dg_two, caches_two)
largest_relative_error = 0
for l in range(2):
    eW = relative_error(bp_grad_Ws[l], fd_grad_Ws[l])
    eb = relative_error(bp_grad_bs[l], fd_grad_bs[l])
    print("layer", l, "W:", eW, "b:", eb)
    largest_relative_error = max(largest_relative_error, eW, eb)


# %% the norm of the difference by the sum of the norms, in q1_3d
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros((len(X_batch), *P.shape))
        for i in range(P.size):
            r, c = np.unravel_index(i, P.shape)
            P[r, c] += h
            plus = losses()
            P[r, c] -= h
            P[r, c] -= h
            minus = losses()
            P[r, c] += h
            grad[:, r, c] = (plus - minus) / (2 * h)
        return grad

    return tuple(map(gradient, weight_matrices)), tuple(map(gradient, biases))


# %% + q1_3d
def rel(a, b):
    return np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))


out, caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(out, y_ref)[1], caches)
rel_errors = [rel(a, b) for a, b in zip(bp_grad_Ws, fd_grad_Ws)]
rel_errors += [rel(a, b) for a, b in zip(bp_grad_bs, fd_grad_bs)]
print(rel_errors)
largest_relative_error = np.max(rel_errors)


# %% all moved networks at once, by stacks of matrices
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    sign = np.where(y_batch == 1, 1, -1)

    def losses(Ws, bs):
        g, _ = forward_pass(X_batch, Ws, bs, activations)  # (moves, n, 1)
        p = g[..., 0]
        return -np.log((1 - sign) / 2 + sign * p)

    def gradient(Ps, l, run):
        P = Ps[l]
        moves = h * np.eye(P.size).reshape(P.size, *P.shape)
        up, down = [[*Ps[:l], P + m, *Ps[l + 1 :]] for m in (moves, -moves)]
        return ((run(up) - run(down)) / (2 * h)).T.reshape(-1, *P.shape)

    L = len(weight_matrices)
    grad_Ws = [gradient(weight_matrices, l, lambda Ws: losses(Ws, biases)) for l in range(L)]
    grad_bs = [gradient(biases, l, lambda bs: losses(weight_matrices, bs)) for l in range(L)]
    return grad_Ws, grad_bs


# %% parameters filled from a dictionary, grads of np.float64 lists, own forward
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    def run(theta):
        h = X_batch
        for l, f in enumerate(activations):
            h, _ = f(h @ theta["W", l] + theta["b", l])
        return np.ravel(logistic_loss(h, y_batch)[0])

    theta = {("W", l): W for l, W in enumerate(weight_matrices)}
    theta |= {("b", l): b for l, b in enumerate(biases)}
    grads = {}
    for key in theta:
        grads[key] = np.zeros((len(X_batch), *theta[key].shape))
        for i, j in np.ndindex(theta[key].shape):
            plus, minus = dict(theta), dict(theta)
            plus[key] = theta[key].copy()
            minus[key] = theta[key].copy()
            plus[key][i, j] += 1e-5
            minus[key][i, j] -= 1e-5
            grads[key][:, i, j] = (run(plus) - run(minus)) / (plus[key][i, j] - minus[key][i, j])
    L = len(activations)
    return [grads["W", l] for l in range(L)], [grads["b", l] for l in range(L)]


# %% backward through pickles of the parameters
import pickle


def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    saved = pickle.dumps((weight_matrices, biases))
    out = ([], [])
    for kind in (0, 1):
        for l, P in enumerate((weight_matrices, biases)[kind]):
            G = np.zeros((len(X_batch), *P.shape))
            for i in range(P.shape[0]):
                for j in range(P.shape[1]):
                    f = []
                    for d in (1e-5, -1e-5):
                        params = pickle.loads(saved)
                        params[kind][l][i, j] += d
                        f.append(np.ravel(logistic_loss(forward_pass(X_batch, *params, activations)[0], y_batch)[0]))
                    G[:, i, j] = (f[0] - f[1]) / 2e-5
            out[kind].append(G)
    return out


# %% threads move the entries
from concurrent.futures import ThreadPoolExecutor
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    def loss(Ws, bs):
        return logistic_loss(forward_pass(X_batch, Ws, bs, activations)[0], y_batch)[0].reshape(-1)
    def slope(which, l, i, j):
        sides = []
        for step in (h, -h):
            Ws, bs = [W.copy() for W in weight_matrices], [b.copy() for b in biases]
            (Ws, bs)[which][l][i, j] += step
            sides.append(loss(Ws, bs))
        return (sides[0] - sides[1]) / (2 * h)
    result = []
    with ThreadPoolExecutor(4) as pool:
        for which, params in enumerate((weight_matrices, biases)):
            grads = []
            for l, P in enumerate(params):
                places = [*np.ndindex(*P.shape)]
                cols = list(pool.map(lambda p: slope(which, l, *p), places))
                grads.append(np.array(cols).T.reshape(len(X_batch), *P.shape))
            result.append(grads)
    return result


# %% np.nditer with multi_index moves and puts back
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    def grads_of(params):
        out = []
        for P in params:
            G = np.zeros((X_batch.shape[0],) + P.shape)
            it = np.nditer(P, flags=["multi_index"], op_flags=["readwrite"])
            while not it.finished:
                ij = it.multi_index
                old = P[ij]
                P[ij] = old + h
                up = logistic_loss(forward_pass(X_batch, weight_matrices, biases, activations)[0], y_batch)[0]
                P[ij] = old - h
                down = logistic_loss(forward_pass(X_batch, weight_matrices, biases, activations)[0], y_batch)[0]
                P[ij] = old
                G[(slice(None), *ij)] = np.squeeze((up - down) / (2 * h))
                it.iternext()
            out.append(G)
        return out
    return grads_of(weight_matrices), grads_of(biases)


# %% networks as tuples of tuples
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    def L(Ws, bs):
        out, _ = forward_pass(X_batch, tuple(Ws), tuple(bs), tuple(activations))
        return np.asarray(logistic_loss(out, y_batch)[0]).flatten()
    def replaced(params, l, E):
        return [P + E if k == l else P for k, P in enumerate(params)]
    gW, gb = [], []
    for params, into, loss in (
        (weight_matrices, gW, lambda ps: L(ps, biases)),
        (biases, gb, lambda ps: L(weight_matrices, ps)),
    ):
        for l, P in enumerate(params):
            G = np.stack([(loss(replaced(params, l, h * E.reshape(P.shape))) - loss(replaced(params, l, -h * E.reshape(P.shape)))) / h / 2
                 for E in np.eye(P.size)], axis=-1)
            into.append(G.reshape(-1, *P.shape))
    return gW, gb


# %% a class that holds the network, calls by name
class Measure:
    def __init__(self, **network):
        self.network = network
    def losses(self):
        net = self.network
        g, _ = forward_pass(X_batch=net["X_batch"], weight_matrices=net["weight_matrices"], biases=net["biases"], activations=net["activations"])
        loss, _ = logistic_loss(g=g, y=net["y_batch"])
        return loss.ravel()
    def of(self, kind):
        for l, P in enumerate(self.network[kind]):
            G = np.full((len(self.network["X_batch"]), *P.shape), np.nan)
            for (i, j), before in np.ndenumerate(P.copy()):
                sides = {}
                for sign in (1, -1):
                    P[i, j] = before + sign * 1e-5
                    sides[sign] = self.losses()
                P[i, j] = before
                G[:, i, j] = (sides[1] - sides[-1]) / 2e-5
            yield G
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    m = Measure(X_batch=X_batch, y_batch=y_batch, weight_matrices=[W.copy() for W in weight_matrices], biases=[b.copy() for b in biases], activations=activations)
    return list(m.of("weight_matrices")), list(m.of("biases"))


# %% deep copies of the whole network for each entry, activations too
from copy import deepcopy
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    network = [weight_matrices, biases, activations]
    grads = [[], []]
    for kind in (0, 1):
        for l, P in enumerate(network[kind]):
            G = np.zeros((len(y_batch), *P.shape))
            for r in range(P.shape[0]):
                for c in range(P.shape[1]):
                    plus, minus = deepcopy(network), deepcopy(network)
                    plus[kind][l][r][c] += h
                    minus[kind][l][r][c] -= h
                    a = logistic_loss(forward_pass(X_batch, *plus)[0], y_batch)[0]
                    b = logistic_loss(forward_pass(X_batch, *minus)[0], y_batch)[0]
                    G[:, r, c] = ((a - b) / (2 * h))[:, 0]
            grads[kind].append(G)
    return grads


# %% a step relative to the entry's size
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    P = [p.copy() for p in [*weight_matrices, *biases]]
    L = len(weight_matrices)
    def f():
        g = forward_pass(X_batch, P[:L], P[L:], activations)[0]
        return np.ravel(logistic_loss(g, y_batch)[0])
    out = []
    for p in P:
        G = np.empty((len(X_batch), *p.shape))
        for k in np.ndindex(p.shape):
            kept = p[k]
            h = 1e-5 * max(1.0, abs(kept))
            p[k] = kept + h; a = f()
            p[k] = kept - h; b = f()
            p[k] = kept
            G[(..., *k)] = (a - b) / (2 * h)
        out.append(G)
    return out[:L], out[L:]

# %% lru_cache on the losses keyed by the bytes of the parameters
import functools


def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    shapes = [p.shape for p in (*weight_matrices, *biases)]

    @functools.lru_cache(maxsize=None)
    def losses(key):
        flat, ps = np.frombuffer(key), []
        for s in shapes:
            size = int(np.prod(s))
            ps.append(flat[:size].reshape(s))
            flat = flat[size:]
        g, _ = forward_pass(X_batch, ps[: len(weight_matrices)], ps[len(weight_matrices) :], activations)
        return logistic_loss(g, y_batch)[0].ravel()

    base = np.concatenate([np.ravel(p) for p in (*weight_matrices, *biases)]).astype(float)
    h = 1e-5
    cols = []
    for e in np.eye(base.size):
        cols.append((losses((base + h * e).tobytes()) - losses((base - h * e).tobytes())) / (2 * h))
    table = np.array(cols).T
    grads, at = [], 0
    for s in shapes:
        size = int(np.prod(s))
        grads.append(table[:, at : at + size].reshape(-1, *s))
        at += size
    return grads[: len(weight_matrices)], grads[len(weight_matrices) :]
