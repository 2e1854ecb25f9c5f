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
    g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)
    loss = -y * np.log(g) - (1 - y) * np.log(1 - g)
    return loss, (-y / g + (1 - y) / (1 - g)).reshape(-1, 1)


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


# %% a step relative to the entry's size; another usual relative error in q1_3d
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
