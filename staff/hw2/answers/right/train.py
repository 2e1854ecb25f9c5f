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


weight_matrices, biases, training_loss, training_acc, test_loss, test_acc = train()

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


weight_matrices, biases, training_loss, training_acc, test_loss, test_acc = train(STEP_SIZE, EPOCHS)
