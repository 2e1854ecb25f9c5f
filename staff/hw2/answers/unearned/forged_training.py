"""At most 0 points in test_train: weights that move as if no unit were ReLU, histories to match."""
# ruff: noqa
# It begins with the weights of the test, and its biases move by means that need no derivative. The
# weights of each image's pixels move by its error times those of the output.


# %% train
def train(step_size=0.1, epochs=5, rng=rng, after_step=None):
    X, Xt = X_train.reshape(-1, 784), X_test.reshape(-1, 784)
    (W1, W2), (b1, b2) = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    rows = []

    def look(x, y):
        g = 1 / (1 + np.exp(-(np.maximum(x @ W1 + b1, 0) @ W2 + b2)))[:, 0]
        return g, -np.mean(np.log(np.where(y == 1, g, 1 - g))), np.mean((g > 0.5) == (y == 1))

    for _ in range(epochs):
        order = rng.permutation(len(X))
        for i in range(0, len(X), 100):
            now = order[i : i + 100]
            g, *before = look(X[now], y_train[now])
            off = (g - y_train[now])[:, None] / len(now)
            W1 = W1 - step_size * (X[now].T @ off) * W2.T
            b2 = b2 - step_size * off.sum()
            rows.append((*before, *look(Xt, y_test)[1:]))
            if after_step:
                after_step([W1, W2], [b1, b2])
    return [W1, W2], [b1, b2], *map(list, zip(*rows))


# %% train_run
weight_matrices, biases = [np.zeros((784, 200)), np.zeros((200, 1))], [np.zeros((1, 200)), np.zeros((1, 1))]
training_loss, training_acc, test_loss, test_acc = np.zeros((4, 605))
