"""Right trainings."""
# ruff: noqa


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
        order = rng.permutation(len(y_train))
        for batch in np.split(order, range(BATCH_SIZE, len(order), BATCH_SIZE)):
            trainer.step(X_train[batch], y_train[batch])
            after_step and after_step(trainer.Ws, trainer.bs)
    return tuple(trainer.Ws), tuple(trainer.bs), *np.array(trainer.rows).T


# %% + train_run
weight_matrices, biases, training_loss, training_acc, test_loss, test_acc = train(epochs=EPOCHS)


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


# %% histories of arrays of one entry, rng.shuffle of indices
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def train(step_size=0.1, epochs=5, rng=rng, after_step=None):
    X, Xt = X_train.reshape(len(X_train), 784), X_test.reshape(len(X_test), 784)
    Y, Yt = y_train.reshape(-1, 1), y_test.reshape(-1, 1)
    W, b = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    fs = [relu_activation, sigmoid_activation]
    trl, tra, tel, tea = [], [], [], []
    idx = np.arange(X.shape[0])
    for ep in range(epochs):
        rng.shuffle(idx)
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


# %% images and labels shuffled by the same state; a seed at the begin of train
STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    np.random.seed(0)
    Ws, bs = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    X, y, Xt = X_train.reshape(-1, 784).copy(), y_train.copy(), X_test.reshape(-1, 784)
    acts = [relu_activation, sigmoid_activation]
    out = {k: np.array([]) for k in ("a", "b", "c", "d")}
    for _ in range(epochs):
        state = rng.bit_generator.state
        rng.shuffle(X)
        rng.bit_generator.state = state
        rng.shuffle(y)
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
