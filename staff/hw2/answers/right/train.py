"""Right trainings."""
# ruff: noqa

# %% a while loop over index arrays, parameters rebound
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    flat, flat_test = X_train.reshape(len(X_train), -1), X_test.reshape(len(X_test), -1)
    W1, W2 = create_weight_matrices([784, 200, 1])
    b1, b2 = create_bias_vectors([784, 200, 1])
    training_loss, training_acc, test_loss, test_acc = [], [], [], []
    epoch = 0
    while epoch < epochs:
        indices = np.arange(len(flat))
        rng.shuffle(indices)
        while len(indices):
            now, indices = indices[:BATCH_SIZE], indices[BATCH_SIZE:]
            x, y = flat[now], y_train[now].reshape(-1, 1)
            h, slope = relu_activation(x @ W1 + b1)
            g, _ = sigmoid_activation(h @ W2 + b2)
            training_loss.append(float(np.mean(logistic_loss(g, y_train[now])[0])))
            training_acc.append(float(((g > 0.5) == y).mean()))
            d2 = g - y
            d1 = d2 @ W2.T * slope
            n = len(now)
            W2, b2 = W2 - step_size * (h.T @ d2) / n, b2 - step_size * d2.mean(axis=0)
            W1, b1 = W1 - step_size * (x.T @ d1) / n, b1 - step_size * d1.mean(axis=0)
            g = sigmoid_activation(relu_activation(flat_test @ W1 + b1)[0] @ W2 + b2)[0]
            test_loss.append(float(np.mean(logistic_loss(g, y_test)[0])))
            test_acc.append(float(np.mean((g[:, 0] > 0.5) == y_test)))
            if after_step:
                after_step([W1, W2], [b1, b2])
        epoch += 1
    return [W1, W2], [b1, b2], training_loss, training_acc, test_loss, test_acc


# %% a class, histories as arrays
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


class Trainer:
    fs = [relu_activation, sigmoid_activation]

    def __init__(self, sizes, step_size):
        self.Ws, self.bs = create_weight_matrices(sizes), create_bias_vectors(sizes)
        self.rows, self.step_size = [], step_size

    def look(self, images, labels):
        g, _ = forward_pass(images.reshape(-1, 784), self.Ws, self.bs, self.fs)
        losses, _ = logistic_loss(g, labels)
        return np.mean(losses), np.count_nonzero((g.ravel() > 0.5) == labels) / len(labels)

    def step(self, images, labels):
        row = self.look(images, labels)
        x = images.reshape(-1, 784)
        h, slope = relu_activation(x @ self.Ws[0] + self.bs[0])
        g, _ = sigmoid_activation(h @ self.Ws[1] + self.bs[1])
        delta = (g - labels[:, None]) / len(labels)
        back = delta @ self.Ws[1].T * slope
        self.Ws[1] -= self.step_size * h.T @ delta
        self.bs[1] -= self.step_size * delta.sum(axis=0)
        self.Ws[0] -= self.step_size * x.T @ back
        self.bs[0] -= self.step_size * back.sum(axis=0)
        self.rows.append((*row, *self.look(X_test, y_test)))


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    trainer = Trainer([784, 200, 1], step_size)
    for _ in range(epochs):
        order = np.random.default_rng().permutation(len(y_train))
        for batch in np.split(order, range(BATCH_SIZE, len(order), BATCH_SIZE)):
            trainer.step(X_train[batch], y_train[batch])
            after_step and after_step(trainer.Ws, trainer.bs)
    return tuple(trainer.Ws), tuple(trainer.bs), *np.array(trainer.rows).T


# %% + train_run
weight_matrices, biases, training_loss, training_acc, test_loss, test_acc = train(epochs=EPOCHS)


# %% shuffled copies, losses by hand, nothing of the student's own functions but the forward pass
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def mean_loss(g, y):
    p = np.where(y == 1, g[:, 0], 1 - g[:, 0])
    return -np.log(np.maximum(p, 1e-12)).mean()


def train(step_size=0.1, epochs=5, rng=rng, after_step=None):
    Ws, bs = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    fs = [relu_activation, sigmoid_activation]
    histories = {"loss": [], "acc": [], "test_loss": [], "test_acc": []}
    for _ in range(epochs):
        order = rng.permutation(len(X_train))
        images, labels = X_train[order].reshape(-1, 784), y_train[order]
        for start in range(0, len(images), BATCH_SIZE):
            x, y = images[start : start + BATCH_SIZE], labels[start : start + BATCH_SIZE]
            h = np.maximum(x @ Ws[0] + bs[0], 0)
            g, _ = forward_pass(x, Ws, bs, fs)
            histories["loss"].append(mean_loss(g, y))
            histories["acc"].append(np.mean((g[:, 0] > 0.5).astype(int) == y))
            d2 = g - y[:, None]
            d1 = (d2 @ Ws[1].T) * (h > 0)
            for P, G in (
                (Ws[1], h.T @ d2),
                (bs[1], d2.sum(0)),
                (Ws[0], x.T @ d1),
                (bs[0], d1.sum(0)),
            ):
                P -= step_size / len(x) * G
            g, _ = forward_pass(X_test.reshape(-1, 784), Ws, bs, fs)
            histories["test_loss"].append(mean_loss(g, y_test))
            histories["test_acc"].append(np.mean((g[:, 0] > 0.5).astype(int) == y_test))
            if after_step is not None:
                after_step(Ws, bs)
    return Ws, bs, *histories.values()


# %% + train_run
weight_matrices, biases, training_loss, training_acc, test_loss, test_acc = train(STEP_SIZE, EPOCHS)


# %% gradients of each example by backward_pass, then their mean
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    images, test_images = X_train.reshape(-1, 784), X_test.reshape(-1, 784)
    activations = [relu_activation, sigmoid_activation]
    weight_matrices = create_weight_matrices([784, 200, 1])
    biases = create_bias_vectors([784, 200, 1])
    training_loss, training_acc, test_loss, test_acc = [], [], [], []
    for epoch in range(epochs):
        order = rng.permutation(len(images))
        for i in hw_support.progress(range(0, len(images), BATCH_SIZE)):
            batch = order[i : i + BATCH_SIZE]
            X_batch, y_batch = images[batch], y_train[batch]
            g, caches = forward_pass(X_batch, weight_matrices, biases, activations)
            loss, dL_dg = logistic_loss(g, y_batch)
            training_loss.append(loss.mean())
            training_acc.append(np.mean((g > 0.5).ravel() == y_batch))
            grad_Ws, grad_bs = backward_pass(dL_dg, caches)
            for l in range(len(weight_matrices)):
                weight_matrices[l] = weight_matrices[l] - step_size * grad_Ws[l].mean(axis=0)
                biases[l] = biases[l] - step_size * grad_bs[l].mean(axis=0)
            g_test, _ = forward_pass(test_images, weight_matrices, biases, activations)
            test_loss.append(logistic_loss(g_test, y_test)[0].mean())
            test_acc.append(np.mean((g_test > 0.5).ravel() == y_test))
            if after_step is not None:
                after_step(weight_matrices, biases)
    return weight_matrices, biases, training_loss, training_acc, test_loss, test_acc


# %% histories of arrays of one entry, np.random.shuffle of indices
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def train(step_size=0.1, epochs=5, rng=rng, after_step=None):
    X, Xt = X_train.reshape(len(X_train), 784), X_test.reshape(len(X_test), 784)
    Y, Yt = y_train.reshape(-1, 1), y_test.reshape(-1, 1)
    W, b = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    fs = [relu_activation, sigmoid_activation]
    trl, tra, tel, tea = [], [], [], []
    idx = np.arange(X.shape[0])
    for ep in range(epochs):
        np.random.shuffle(idx)
        for k in range(0, X.shape[0], BATCH_SIZE):
            xb, yb = X[idx[k : k + BATCH_SIZE]], Y[idx[k : k + BATCH_SIZE]]
            a1, da1 = layer_forward(xb, W[0], b[0], fs[0])
            g, _ = layer_forward(a1, W[1], b[1], fs[1])
            loss = logistic_loss(g, yb[:, 0])[0]
            trl.append(sum(loss) / len(loss))  # shape (1,)
            tra.append(sum((g > 0.5) == yb) / len(yb))
            ds2 = (g - yb) / len(yb)
            ds1 = ds2 @ W[1].T * (a1 > 0)
            W[1] -= step_size * a1.T @ ds2
            b[1] -= step_size * ds2.sum(axis=0, keepdims=True)
            W[0] -= step_size * xb.T @ ds1
            b[0] -= step_size * ds1.sum(axis=0, keepdims=True)
            gt, _ = forward_pass(Xt, W, b, fs)
            tel.append(np.mean(logistic_loss(gt, y_test)[0], axis=0))
            tea.append(np.mean((gt > 0.5) == Yt, axis=0))
            if after_step:
                after_step(W, b)
        print("epoch", ep, "test loss", tel[-1], "test acc", tea[-1])
    return W, b, trl, tra, tel, tea


# %% + train_run
weight_matrices, biases, training_loss, training_acc, test_loss, test_acc = train()


# %% float32 throughout, np.float32 and 0-d arrays in the histories, np.array_split
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def to_single(arrays):
    return [np.asarray(a, dtype=np.float32) for a in arrays]


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    images = X_train.reshape(-1, 784).astype(np.float32)
    test_images = X_test.reshape(-1, 784).astype(np.float32)
    Ws = to_single(create_weight_matrices([784, 200, 1]))
    bs = to_single(create_bias_vectors([784, 200, 1]))
    step_size = np.float32(step_size)

    def forward(x):
        s = x @ Ws[0] + bs[0]
        hidden = np.maximum(s, 0)
        return hidden, 1 / (1 + np.exp(-(hidden @ Ws[1] + bs[1])))

    def figures(g, y):
        p = np.clip(np.where(y == 1, g[:, 0], 1 - g[:, 0]), 1e-7, None)
        return np.float32(-np.log(p).mean()), np.array(np.mean((g[:, 0] > 0.5) == y))

    rows = []
    for _ in range(epochs):
        order = rng.permutation(len(images))
        cuts = np.arange(BATCH_SIZE, len(images), BATCH_SIZE)
        for batch in np.array_split(order, cuts):
            x, y = images[batch], y_train[batch]
            hidden, g = forward(x)
            before = figures(g, y)
            delta = (g - y[:, None].astype(np.float32)) / np.float32(len(x))
            back = (delta @ Ws[1].T) * (hidden > 0)
            Ws[1] = Ws[1] - step_size * (hidden.T @ delta)
            bs[1] = bs[1] - step_size * delta.sum(axis=0, keepdims=True)
            Ws[0] = Ws[0] - step_size * (x.T @ back)
            bs[0] = bs[0] - step_size * back.sum(axis=0, keepdims=True)
            rows.append(before + figures(forward(test_images)[1], y_test))
            if after_step is not None:
                after_step(Ws, bs)
    return [Ws, bs] + [list(column) for column in zip(*rows)]


# %% a generator of batches, zip(*batches), a history dictionary, a helper called accuracy
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def batches_of(n, generator):
    order = generator.permutation(n).tolist()
    while order:
        yield order[:100]
        order = order[100:]


def accuracy(g, y):
    correct = sum(1 for p, label in zip(g.ravel(), y) if (p > 0.5) == (label == 1))
    return correct / len(y)


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    activations = [relu_activation, sigmoid_activation]
    weights, biases = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    test_set = np.array([image.flatten() for image in X_test])
    history = {"training_loss": [], "training_acc": [], "test_loss": [], "test_acc": []}
    for _ in range(epochs):
        pairs = [(X_train[b].reshape(len(b), -1), y_train[b]) for b in batches_of(len(X_train), rng)]
        batch_images, batch_labels = zip(*pairs)
        for images, labels in zip(batch_images, batch_labels):
            n = labels.size
            g, caches = forward_pass(images, weights, biases, activations)
            history["training_loss"].append(np.average(logistic_loss(g, labels)[0]))
            history["training_acc"].append(accuracy(g, labels))
            hidden = np.maximum(images @ weights[0] + biases[0], 0)
            delta_2 = g - labels.reshape(n, 1)
            delta_1 = np.where(hidden > 0, delta_2 @ weights[1].T, 0)
            new_weights = [
                weights[0] - step_size * np.einsum("ni,nj->ij", images, delta_1, optimize=True) / n,
                weights[1] - step_size * np.einsum("ni,nj->ij", hidden, delta_2, optimize=True) / n,
            ]
            biases = [
                biases[0] - step_size * delta_1.mean(axis=0).reshape(1, -1),
                biases[1] - step_size * delta_2.mean(axis=0).reshape(1, -1),
            ]
            weights = new_weights
            g, _ = forward_pass(test_set, weights, biases, activations)
            history["test_loss"].append(np.average(logistic_loss(g, y_test)[0]))
            history["test_acc"].append(accuracy(g, y_test))
            if after_step is not None:
                after_step(weights, biases)
    return (weights, biases, *history.values())


# %% + train_run
weight_matrices, biases, training_loss, training_acc, test_loss, test_acc = train(0.1, 5)


# %% a progress line of its own, batches by a mask of positions, arrays filled in
import sys

STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


class ProgressLine:
    """like tqdm, which I could not install"""

    def __init__(self, iterable, width=30):
        self.items, self.width = list(iterable), width

    def __iter__(self):
        for k, item in enumerate(self.items, start=1):
            yield item
            done = self.width * k // len(self.items)
            sys.stdout.write("\r[" + "#" * done + "." * (self.width - done) + "]")
        sys.stdout.write("\n")


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    n_train = X_train.shape[0]
    n_batches = -(-n_train // BATCH_SIZE)  # rounded up
    W = create_weight_matrices([784, 200, 1])
    b = create_bias_vectors([784, 200, 1])
    curves = np.zeros((4, epochs * n_batches))
    iteration = 0
    for epoch in range(epochs):
        keys = rng.random(n_train)
        shuffled = np.argsort(keys)
        for k in ProgressLine(range(n_batches)):
            chosen = shuffled[k * BATCH_SIZE : min((k + 1) * BATCH_SIZE, n_train)]
            x = X_train[chosen].reshape(chosen.size, 784)
            t = y_train[chosen]
            s1 = x @ W[0] + b[0]
            h, slope = relu_activation(s1)
            g = sigmoid_activation(h @ W[1] + b[1])[0]
            curves[0, iteration] = np.sum(logistic_loss(g, t)[0]) / chosen.size
            curves[1, iteration] = np.sum((g[:, 0] > 0.5) == t) / chosen.size
            d = g - t[:, np.newaxis]
            dW2, db2 = h.T.dot(d) / chosen.size, np.sum(d, axis=0) / chosen.size
            d = d.dot(W[1].T) * slope
            dW1, db1 = x.T.dot(d) / chosen.size, np.sum(d, axis=0) / chosen.size
            for parameter, gradient in [(W[0], dW1), (W[1], dW2), (b[0], db1), (b[1], db2)]:
                parameter -= step_size * gradient
            g = forward_pass(X_test.reshape(-1, 784), W, b, [relu_activation, sigmoid_activation])[0]
            curves[2, iteration] = logistic_loss(g, y_test)[0].mean()
            curves[3, iteration] = ((g[:, 0] > 0.5) == y_test).mean()
            iteration += 1
            if after_step is not None:
                after_step(W, b)
    return (W, b) + tuple(curves)


# %% caches in a deque, which the training uses up
from collections import deque

STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def mean_gradients(dL_dg, caches):
    n = len(dL_dg)
    grads = deque()
    while caches:
        x, W, slope = caches.pop()
        dL_dg = dL_dg * slope
        grads.appendleft((x.T @ dL_dg / n, dL_dg.mean(axis=0, keepdims=True)))
        if caches:
            dL_dg = dL_dg @ W.T
    return zip(*grads)


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    Ws, bs = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    fs = [relu_activation, sigmoid_activation]
    results = [[], [], [], []]

    def note(where, g, y):
        where[0].append(logistic_loss(g, y)[0].mean().item())
        where[1].append(np.equal(g[:, 0] > 0.5, y).mean().item())

    for _ in range(epochs):
        todo = deque(rng.permutation(len(X_train)))
        while todo:
            now = [todo.popleft() for _ in range(min(BATCH_SIZE, len(todo)))]
            g, caches = forward_pass(X_train[now].reshape(-1, 784), Ws, bs, fs)
            note(results[:2], g, y_train[now])
            dL_dg = logistic_loss(g, y_train[now])[1]
            grad_Ws, grad_bs = mean_gradients(dL_dg, caches)
            Ws = [W - step_size * G for W, G in zip(Ws, grad_Ws)]
            bs = [b - step_size * G for b, G in zip(bs, grad_bs)]
            note(results[2:], forward_pass(X_test.reshape(-1, 784), Ws, bs, fs)[0], y_test)
            if after_step is not None:
                after_step(Ws, bs)
    return Ws, bs, *results


# %% + forward_pass
from collections import deque


def forward_pass(X_batch, weight_matrices, biases, activations):
    caches = deque()
    for W, b, f in zip(weight_matrices, biases, activations):
        X_batch, cache = layer_forward(X_batch, W, b, f)
        caches.append(cache)
    return X_batch, caches


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = deque(), deque()
    while layer_caches:
        x, W, slope = layer_caches.pop()
        dL_dg = dL_dg * slope
        grad_Ws.appendleft(x[:, :, None] * dL_dg[:, None])
        grad_bs.appendleft(dL_dg[:, None])
        dL_dg = dL_dg @ W.T
    return list(grad_Ws), list(grad_bs)


# %% flat losses, dictionaries as caches, no caches while it looks at the test set
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def batch_gradients(dL_dg, caches):
    delta = dL_dg.reshape(-1, 1) * caches[1]["slope"]
    n = len(delta)
    grads = {"W2": caches[1]["x"].T @ delta / n, "b2": delta.sum(0, keepdims=True) / n}
    delta = delta @ caches[1]["W"].T * caches[0]["slope"]
    grads["W1"], grads["b1"] = caches[0]["x"].T @ delta / n, delta.sum(0, keepdims=True) / n
    return grads


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    fs = [relu_activation, sigmoid_activation]
    Ws, bs = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    train_flat, test_flat = X_train.reshape(-1, 784), X_test.reshape(-1, 784).astype("float32")
    tl, ta, vl, va = ([] for _ in range(4))
    for epoch in range(epochs):
        perm = rng.permutation(train_flat.shape[0])
        X_shuffled, y_shuffled = train_flat[perm], y_train[perm]
        for start in range(0, len(perm), BATCH_SIZE):
            stop = start + BATCH_SIZE
            X_batch, y_batch = X_shuffled[start:stop], y_shuffled[start:stop]
            g, caches = forward_pass(X_batch, Ws, bs, fs)
            loss, dL_dg = logistic_loss(g, y_batch)
            tl += [loss.mean()]
            ta += [((g.squeeze(1) > 0.5) == y_batch).mean()]
            grads = batch_gradients(dL_dg, caches)
            Ws = [Ws[0] - step_size * grads["W1"], Ws[1] - step_size * grads["W2"]]
            bs = [bs[0] - step_size * grads["b1"], bs[1] - step_size * grads["b2"]]
            small = [[p.astype("float32") for p in ps] for ps in (Ws, bs)]
            g, _ = forward_pass(test_flat, *small, fs, keep_caches=False)
            vl += [logistic_loss(g, y_test)[0].mean()]
            va += [((g.squeeze(1) > 0.5) == y_test).mean()]
            if after_step is not None:
                after_step(Ws, bs)
    return Ws, bs, tl, ta, vl, va


# %% + logistic_loss
def logistic_loss(g, y):
    g = g.astype(float).ravel()
    g = np.clip(g, 1e-12, 1 - 1e-12)
    loss = -(y * np.log(g) + (1 - y) * np.log(1 - g))
    return loss, (g - y) / (g * (1 - g))


# %% + layer_forward
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    return out, {"x": x, "W": W, "slope": slope}


# %% + forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations, keep_caches=True):
    caches = []
    for l, f in enumerate(activations):
        X_batch, cache = layer_forward(X_batch, weight_matrices[l], biases[l], f)
        if keep_caches:
            caches.append(cache)
    return X_batch, caches


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    upstream = dL_dg.reshape(len(dL_dg), -1)
    grad_Ws, grad_bs = [], []
    for cache in layer_caches[::-1]:
        delta = upstream * cache["slope"]
        grad_Ws.append(np.einsum("ni,nj->nij", cache["x"], delta))
        grad_bs.append(delta[:, None, :])
        upstream = delta @ cache["W"].T
    return grad_Ws[::-1], grad_bs[::-1]


# %% backward_pass uses up a reversed iterator, in parts of ten examples
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def summed_gradients(X, y, Ws, bs, fs):
    """sums over the batch, ten examples at a time so that it fits into the cache"""
    sums = [np.zeros_like(P) for P in Ws + bs]
    losses, right = [], []
    for part in np.split(np.arange(len(X)), range(10, len(X), 10)):
        g, caches = forward_pass(X[part], Ws, bs, fs)
        loss, dL_dg = logistic_loss(g, y[part])
        losses.extend(loss.ravel())
        right.extend((g.ravel() > 0.5) == (y[part] == 1))
        grad_Ws, grad_bs = backward_pass(dL_dg, caches)
        for total, G in zip(sums, grad_Ws + grad_bs):
            total += np.sum(G, axis=0)
    return sums, np.mean(losses), np.mean(right)


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    X, X_val = np.reshape(X_train, (-1, 784)), np.reshape(X_test, (-1, 784))
    fs = [relu_activation, sigmoid_activation]
    Ws, bs = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    training_loss, training_acc, test_loss, test_acc = [], [], [], []
    for epoch in range(epochs):
        perm = rng.permutation(len(X))
        for i in range(0, len(X), BATCH_SIZE):
            idx = perm[i : i + BATCH_SIZE]
            sums, loss, acc = summed_gradients(X[idx], y_train[idx], Ws, bs, fs)
            training_loss.append(loss)
            training_acc.append(acc)
            for P, total in zip(Ws + bs, sums):
                P -= step_size * total / len(idx)
            g, _ = forward_pass(X_val, Ws, bs, fs)
            test_loss.append(np.mean(logistic_loss(g, y_test)[0]))
            test_acc.append(np.mean((g.ravel() > 0.5) == (y_test == 1)))
            if after_step:
                after_step(Ws, bs)
    return Ws, bs, training_loss, training_acc, test_loss, test_acc


# %% + forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    caches = []
    for W, b, f in zip(weight_matrices, biases, activations):
        X_batch, cache = layer_forward(X_batch, W, b, f)
        caches.append(cache)
    return X_batch, reversed(caches)


# %% + backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    for x, W, slope in layer_caches:
        delta = dL_dg * slope
        grad_Ws.insert(0, x[:, :, None] * delta[:, None, :])
        grad_bs.insert(0, delta[:, None, :])
        dL_dg = delta @ W.T
    return grad_Ws, grad_bs


# %% a class that holds the histories, the network returned as it is bound in the end
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


class History:
    def __init__(self, images, labels):
        self.images, self.labels = images.reshape(len(images), -1), labels
        self.losses, self.accuracies = [], []

    def add(self, g, labels=None):
        y = self.labels if labels is None else labels
        self.losses.append(np.mean(logistic_loss(g, y)[0]))
        self.accuracies.append(1 - np.mean(np.abs((g[:, 0] > 0.5) - 1.0 * y)))


def bias_column(x):
    return np.hstack((np.ones((len(x), 1), x.dtype), x))


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    dims = [784, 200, 1]
    theta = [
        np.vstack((b, W)) for b, W in zip(create_bias_vectors(dims), create_weight_matrices(dims))
    ]
    on_train, on_test = History(X_train, y_train), History(X_test, y_test)
    test_images = bias_column(on_test.images)

    def predict(x1):
        hidden, slope = relu_activation(x1 @ theta[0])
        hidden = bias_column(hidden)
        return sigmoid_activation(hidden @ theta[1])[0], hidden, slope

    def parameters():
        return [t[1:] for t in theta], [t[:1] for t in theta]

    for epoch in range(1, epochs + 1):
        order = list(range(len(y_train)))
        rng.shuffle(order)
        for start in hw_support.progress(range(0, len(order), BATCH_SIZE), f"epoch {epoch}"):
            batch = order[start : start + BATCH_SIZE]
            x1, y = bias_column(on_train.images[batch]), y_train[batch]
            g, hidden, slope = predict(x1)
            on_train.add(g, y)
            delta = (g - np.expand_dims(y, 1)) / len(y)
            below = (delta @ theta[1][1:].T) * slope
            theta[1] = theta[1] - step_size * hidden.T @ delta
            theta[0] = theta[0] - step_size * x1.T @ below
            on_test.add(predict(test_images)[0])
            if after_step is not None:
                after_step(*parameters())
    return *parameters(), on_train.losses, on_train.accuracies, on_test.losses, on_test.accuracies


# %% images and labels shuffled by the same state; a seed at the begin of train
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    np.random.seed(0)
    Ws, bs = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    X, y, Xt = X_train.reshape(-1, 784).copy(), y_train.copy(), X_test.reshape(-1, 784)
    acts = [relu_activation, sigmoid_activation]
    out = {k: np.array([]) for k in ("a", "b", "c", "d")}
    for _ in range(epochs):
        state = np.random.get_state()
        np.random.shuffle(X)
        np.random.set_state(state)
        np.random.shuffle(y)
        i = 0
        while True:
            xb, yb = X[i : i + BATCH_SIZE], y[i : i + BATCH_SIZE]
            if len(xb) == 0:
                break
            i += BATCH_SIZE
            g, _ = forward_pass(xb, Ws, bs, acts)
            out["a"] = np.append(out["a"], logistic_loss(g, yb)[0].mean())
            out["b"] = np.append(out["b"], ((g[:, 0] > 0.5) == yb).mean())
            h, dh = relu_activation(xb @ Ws[0] + bs[0])
            d2 = (g - yb[:, None]) / len(xb)
            d1 = d2 @ Ws[1].T * dh
            Ws[1] -= step_size * h.T @ d2
            bs[1] -= step_size * d2.sum(0)
            Ws[0] -= step_size * xb.T @ d1
            bs[0] -= step_size * d1.sum(0)
            g, _ = forward_pass(Xt, Ws, bs, acts)
            out["c"] = np.append(out["c"], logistic_loss(g, y_test)[0].mean())
            out["d"] = np.append(out["d"], ((g[:, 0] > 0.5) == y_test).mean())
            after_step(Ws, bs) if after_step else None
    return Ws, bs, *out.values()


# %% + train_run
weight_matrices, biases, training_loss, training_acc, test_loss, test_acc = train(step_size=STEP_SIZE)


# %% histories are global lists, made empty by train
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    global weight_matrices, biases, training_loss, training_acc, test_loss, test_acc
    training_loss, training_acc, test_loss, test_acc = [], [], [], []
    weight_matrices = create_weight_matrices([784, 200, 1])
    biases = create_bias_vectors([784, 200, 1])
    X, Xt = X_train.reshape(-1, 784), X_test.reshape(-1, 784)
    acts = [relu_activation, sigmoid_activation]
    for _ in range(epochs):
        perm = rng.permutation(len(X))
        for i in range(0, len(X), BATCH_SIZE):
            xb, yb = X[perm[i : i + BATCH_SIZE]], y_train[perm[i : i + BATCH_SIZE]]
            g, _ = forward_pass(xb, weight_matrices, biases, acts)
            training_loss.append(logistic_loss(g, yb)[0].mean())
            training_acc.append(((g[:, 0] > 0.5) == yb).mean())
            h, dh = relu_activation(xb @ weight_matrices[0] + biases[0])
            d2 = (g - yb[:, None]) / len(xb)
            d1 = d2 @ weight_matrices[1].T * dh
            weight_matrices[1] -= step_size * h.T @ d2
            biases[1] -= step_size * d2.sum(0)
            weight_matrices[0] -= step_size * xb.T @ d1
            biases[0] -= step_size * d1.sum(0)
            g, _ = forward_pass(Xt, weight_matrices, biases, acts)
            test_loss.append(logistic_loss(g, y_test)[0].mean())
            test_acc.append(((g[:, 0] > 0.5) == y_test).mean())
            if after_step is not None:
                after_step(weight_matrices, biases)
    return weight_matrices, biases, training_loss, training_acc, test_loss, test_acc


# %% + train_run
train()


# %% lists above the function, cleared by it; images and labels in one array, permuted by rows
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5
tr_l, tr_a, te_l, te_a = [], [], [], []


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    for history in (tr_l, tr_a, te_l, te_a):
        history.clear()
    Ws, bs = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    data = np.column_stack([X_train.reshape(-1, 784), y_train])
    Xt = X_test.reshape(-1, 784)
    acts = [relu_activation, sigmoid_activation]
    for _ in range(epochs):
        data = rng.permutation(data)
        for i in range(0, len(data), BATCH_SIZE):
            xb, yb = data[i : i + BATCH_SIZE, :-1], data[i : i + BATCH_SIZE, -1]
            g, _ = forward_pass(xb, Ws, bs, acts)
            tr_l.append(logistic_loss(g, yb)[0].mean())
            tr_a.append(((g[:, 0] > 0.5) == yb).mean())
            h, dh = relu_activation(xb @ Ws[0] + bs[0])
            d2 = (g - yb[:, None]) / len(xb)
            d1 = d2 @ Ws[1].T * dh
            Ws[1] -= step_size * h.T @ d2
            bs[1] -= step_size * d2.sum(0)
            Ws[0] -= step_size * xb.T @ d1
            bs[0] -= step_size * d1.sum(0)
            g, _ = forward_pass(Xt, Ws, bs, acts)
            te_l.append(logistic_loss(g, y_test)[0].mean())
            te_a.append(((g[:, 0] > 0.5) == y_test).mean())
            if after_step is not None:
                after_step(tuple(Ws), tuple(bs))
    return Ws, bs, tr_l, tr_a, te_l, te_a


# %% flat biases
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def evaluate(x, y, Ws, bs):
    g, _ = forward_pass(x, Ws, bs, [relu_activation, sigmoid_activation])
    return logistic_loss(g, y)[0].mean(), np.mean((g.ravel() >= 0.5) == y)


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    x, x_test = (images.reshape(len(images), -1) for images in (X_train, X_test))
    W1, W2 = create_weight_matrices([784, 200, 1])
    b1, b2 = (b.ravel() for b in create_bias_vectors([784, 200, 1]))
    rows = []
    for indices in (rng.permutation(len(x)) for _ in range(epochs)):
        for start in range(0, len(x), BATCH_SIZE):
            now = indices[start : start + BATCH_SIZE]
            before = evaluate(x[now], y_train[now], [W1, W2], [b1, b2])
            h, slopes = relu_activation(x[now] @ W1 + b1)
            d = (sigmoid_activation(h @ W2 + b2)[0] - y_train[now][:, None]) / len(now)
            back = d @ W2.T * slopes
            W1, W2 = W1 - step_size * x[now].T @ back, W2 - step_size * h.T @ d
            b1, b2 = b1 - step_size * back.sum(axis=0), b2 - step_size * d.sum(axis=0)
            rows.append(before + evaluate(x_test, y_test, [W1, W2], [b1, b2]))
            if after_step:
                after_step([W1, W2], [b1, b2])
    return [W1, W2], [b1, b2], *(list(column) for column in zip(*rows))


# %% the size of a batch is the third of five parameters
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5
nets = [relu_activation, sigmoid_activation]


def measured(x, y, network):
    g, caches = forward_pass(x, *network, nets)
    return (logistic_loss(g, y)[0].mean(), np.mean((g[:, 0] > 0.5) == y)), g, caches


def train(
    step_size=STEP_SIZE, epochs=EPOCHS, batch_size=BATCH_SIZE, rng=rng, after_step=None
):
    x, x_test = (images.reshape(len(images), -1) for images in (X_train, X_test))
    sizes = [784, 200, 1]
    network = create_weight_matrices(sizes), create_bias_vectors(sizes)
    seen, tested = [], []
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for batch in np.split(order, range(batch_size, len(x), batch_size)):
            figures, g, ((x_0, _, _), (x_1, W, slope)) = measured(x[batch], y_train[batch], network)
            seen.append(figures)
            d_1 = (g - y_train[batch, None]) / len(batch)
            d_0 = (d_1 @ W.T) * (x_1 > 0)
            for l, (inputs, delta) in enumerate([(x_0, d_0), (x_1, d_1)]):
                network[0][l] = network[0][l] - step_size * inputs.T @ delta
                network[1][l] = network[1][l] - step_size * delta.sum(0, keepdims=True)
            tested.append(measured(x_test, y_test, network)[0])
            if after_step:
                after_step(*network)
    return *network, *map(list, zip(*seen)), *map(list, zip(*tested))


# %% a generator of states, train is the last of them; child generators by spawn
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def states(step_size, epochs, generators):
    params = {}
    for l, (W, b) in enumerate(zip(create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])), 1):
        params[f"W{l}"], params[f"b{l}"] = W, b
    X, T = np.reshape(X_train, (-1, 784)), np.reshape(X_test, (-1, 784))

    def predict(x):
        a, d = relu_activation(x @ params["W1"] + params["b1"])
        return sigmoid_activation(a @ params["W2"] + params["b2"])[0], a, d

    def score(g, y):
        return float(np.mean(logistic_loss(g, y)[0])), float(np.equal(g[:, 0] > 0.5, y).mean())

    for generator in generators:
        order = generator.permutation(X.shape[0])
        for part in (order[k : k + BATCH_SIZE] for k in range(0, order.size, BATCH_SIZE)):
            g, a, d = predict(X[part])
            before = score(g, y_train[part])
            dz2 = g - y_train[part].reshape(-1, 1)
            dz1 = dz2 * params["W2"].T * d
            m = part.size
            update = {"W1": X[part].T @ dz1 / m, "b1": dz1.mean(0, keepdims=True), "W2": a.T @ dz2 / m, "b2": dz2.mean(0, keepdims=True)}
            for key in params:
                params[key] = params[key] - step_size * update[key]
            yield [params["W1"], params["W2"]], [params["b1"], params["b2"]], before, score(predict(T)[0], y_test)


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    before, after = [], []
    for Ws, bs, b, a in states(step_size, epochs, rng.spawn(epochs)):
        before.append(b)
        after.append(a)
        if after_step:
            after_step(Ws, bs)
    return [Ws, bs] + [list(h) for h in (*zip(*before), *zip(*after))]
