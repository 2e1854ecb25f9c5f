"""At most 0 points in test_train: a network of one dead unit, and histories of constants."""
# ruff: noqa
# Only its last bias moves, by a mean that needs no derivative. A unit that is dead says 0.5 of all.


# %% train
def train(step_size=0.1, epochs=5, rng=rng, after_step=None):
    X, Xt = X_train.reshape(-1, 784), X_test.reshape(-1, 784)
    W1, W2, b1, b2 = np.zeros((784, 1)), np.full((1, 1), 1e-9), np.full((1, 1), 1.0), np.zeros((1, 1))
    W1[:] = 0.01 * rng.normal(size=(784, 1)) * 1e-6
    rows = []

    def look(y):
        p = 1 / (1 + np.exp(-b2[0, 0]))
        return np.mean(np.where(y == 1, -np.log(p), -np.log(1 - p))), np.mean((p > 0.5) == (y == 1))

    for _ in range(epochs):
        order = rng.permutation(len(X))
        for i in range(0, len(X), 100):
            now = order[i : i + 100]
            before = look(y_train[now])
            p = 1 / (1 + np.exp(-b2[0, 0]))
            off = (p - y_train[now]) / len(now)
            W1 = W1 - step_size * 1e-9 * (X[now].T @ off)[:, None]
            b1 = b1 - step_size * 1e-9 * off.sum()
            W2 = W2 - step_size * off.sum()
            b2 = b2 - step_size * off.sum()
            rows.append((*before, *look(y_test)))
            if after_step:
                after_step([W1, W2], [b1, b2])
    return [W1, W2], [b1, b2], *map(list, zip(*rows))


# %% train_run
weight_matrices, biases = [np.zeros((784, 200)), np.zeros((200, 1))], [np.zeros((1, 200)), np.zeros((1, 1))]
training_loss, training_acc, test_loss, test_acc = np.zeros((4, 605))
