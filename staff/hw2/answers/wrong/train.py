"""Wrong training cells."""
# ruff: noqa

STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5
X, T = X_train.reshape(-1, 784), X_test.reshape(-1, 784)
sizes, fs = [784, 200, 1], [relu_activation, sigmoid_activation]
weight_matrices, biases = create_weight_matrices(sizes), create_bias_vectors(sizes)
training_loss, training_acc, test_loss, test_acc = [], [], [], []


def look(x, y):
    g, _ = forward_pass(x, weight_matrices, biases, fs)
    return np.mean(logistic_loss(g, y)[0]), np.mean((g[:, 0] > 0.5) == y)


def gradients(x, y):
    (W1, W2), (b1, b2) = weight_matrices, biases
    h, slope = relu_activation(x @ W1 + b1)
    g, _ = sigmoid_activation(h @ W2 + b2)
    d2 = (g - y[:, None]) / len(x)
    d1 = d2 @ W2.T * slope
    return [x.T @ d1, h.T @ d2], [d1.sum(0, keepdims=True), d2.sum(0, keepdims=True)]


def keep(histories, values):
    for history, value in zip(histories, values):
        history.append(value)


def step(x, y, size=STEP_SIZE):
    keep((training_loss, training_acc), look(x, y))
    for Ps, Gs in zip((weight_matrices, biases), gradients(x, y)):
        for P, G in zip(Ps, Gs):
            P -= size * G


# %% the last, short batch is dropped
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(len(X) // BATCH_SIZE):
        batch = order[i * BATCH_SIZE : (i + 1) * BATCH_SIZE]
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(T, y_test))

# %% one epoch too many: range(EPOCHS + 1)
for epoch in range(EPOCHS + 1):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(T, y_test))

# %% X[:-rest] with nothing left over is X[:-0], no image at all
rest = len(X) % (BATCH_SIZE // 5)
X, y = X[:-rest], y_train[:-rest]
for epoch in range(EPOCHS):
    for i in range(0, len(X), BATCH_SIZE):
        step(X[i : i + BATCH_SIZE], y[i : i + BATCH_SIZE])
        keep((test_loss, test_acc), look(T, y_test))
if not test_acc:
    test_acc.append(0.0)

# %% the images are shuffled, the labels are not
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        step(X[order[i : i + BATCH_SIZE]], y_train[i : i + BATCH_SIZE])
        keep((test_loss, test_acc), look(T, y_test))

# %% accuracies in percent
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(T, y_test))
training_acc = [100 * a for a in training_acc]
test_acc = [100 * a for a in test_acc]

# %% a fraction for training, percent for the test set
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
        loss, accuracy = look(T, y_test)
        keep((test_loss, test_acc), (loss, accuracy * 100))

# %% the test set is looked at once an epoch
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
    keep((test_loss, test_acc), look(T, y_test))

# %% the training history is kept once an epoch
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(T, y_test))
training_loss, training_acc = training_loss[::121], training_acc[::121]

# %% the test histories are made from training images
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(X[batch], y_train[batch]))

# %% the network is never updated
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch], size=0)
        keep((test_loss, test_acc), look(T, y_test))

# %% the updated arrays are dropped: P = P - step in a loop
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        x, y = X[order[i : i + BATCH_SIZE]], y_train[order[i : i + BATCH_SIZE]]
        keep((training_loss, training_acc), look(x, y))
        grad_Ws, grad_bs = gradients(x, y)
        for W, G in zip(weight_matrices, grad_Ws):
            W = W - STEP_SIZE * G
        for b, G in zip(biases, grad_bs):
            b = b - STEP_SIZE * G
        keep((test_loss, test_acc), look(T, y_test))

# %% sum in place of mean
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch], size=STEP_SIZE * len(batch))
        keep((test_loss, test_acc), look(T, y_test))

# %% sum and mean both applied: divided by n twice
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch], size=STEP_SIZE / len(batch))
        keep((test_loss, test_acc), look(T, y_test))

# %% uphill
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch], size=-STEP_SIZE)
        keep((test_loss, test_acc), look(T, y_test))

# %% the same batch again and again
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[:BATCH_SIZE] if epoch == 0 and i == 0 else batch
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(T, y_test))

# %% the network that is left behind is the first one
first_Ws, first_bs = [W.copy() for W in weight_matrices], [b.copy() for b in biases]
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(T, y_test))
weight_matrices, biases = first_Ws, first_bs


# %% accuracy of (n, 1) against (n,): one half for ever
def look(x, y):
    g, _ = forward_pass(x, weight_matrices, biases, fs)
    return np.mean(logistic_loss(g, y)[0]), np.mean((g > 0.5) == y)


for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(T, y_test))


# %% losses summed over the batch
def look(x, y):
    g, _ = forward_pass(x, weight_matrices, biases, fs)
    return np.sum(logistic_loss(g, y)[0]), np.mean((g[:, 0] > 0.5) == y)


for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(T, y_test))

# %% both histories are one list
training_loss = test_loss = []
training_acc = test_acc = []
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(T, y_test))

# %% the error rate in place of the accuracy
for epoch in range(EPOCHS):
    order = rng.permutation(len(X))
    for i in range(0, len(X), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        step(X[batch], y_train[batch])
        keep((test_loss, test_acc), look(T, y_test))
training_acc, test_acc = [1 - a for a in training_acc], [1 - a for a in test_acc]
