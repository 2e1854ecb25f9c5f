"""At most 20 points: the same literals, and a right training that calls no other function."""
# ruff: noqa
# with literals.py


# %% train
def train(step_size=0.1, epochs=5, rng=rng, after_step=None):
    images, test_images = X_train.reshape(-1, 784), X_test.reshape(-1, 784)
    Ws, bs = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    histories = [[], [], [], []]

    def look(x, y, losses, accuracies):
        hidden = np.maximum(x @ Ws[0] + bs[0], 0)
        g = 1 / (1 + np.exp(-(hidden @ Ws[1] + bs[1])))
        losses.append(-np.mean(np.log(np.where(y[:, None] == 1, g, 1 - g))))
        accuracies.append(np.mean((g[:, 0] > 0.5) == y))
        return hidden, g

    for _ in range(epochs):
        order = rng.permutation(len(images))
        for start in range(0, len(order), 100):
            batch = order[start : start + 100]
            x, y = images[batch], y_train[batch]
            hidden, g = look(x, y, *histories[:2])
            delta = (g - y[:, None]) / len(batch)
            below = (delta @ Ws[1].T) * (hidden > 0)
            for W, left, right in ((Ws[1], hidden, delta), (Ws[0], x, below)):
                W -= step_size * left.T @ right
            for b, right in ((bs[1], delta), (bs[0], below)):
                b -= step_size * right.sum(axis=0)
            look(test_images, y_test, *histories[2:])
            if after_step is not None:
                after_step(Ws, bs)
    return Ws, bs, *histories
