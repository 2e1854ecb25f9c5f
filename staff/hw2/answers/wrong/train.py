"""Wrong trainings: most change one piece of `trained`, which is right."""
# ruff: noqa

STEP_SIZE, BATCH_SIZE, EPOCHS = 0.1, 100, 5
fs = [relu_activation, sigmoid_activation]


def look(x, y, Ws, bs):
    g, _ = forward_pass(x.reshape(-1, 784), Ws, bs, fs)
    return np.mean(logistic_loss(g, y)[0]), np.mean((g[:, 0] > 0.5) == y)


def gradients(x, y, Ws, bs):
    (W1, W2), (b1, b2), x = Ws, bs, x.reshape(-1, 784)
    h, slope = relu_activation(x @ W1 + b1)
    g, _ = sigmoid_activation(h @ W2 + b2)
    d2 = (g - y[:, None]) / len(x)
    d1 = d2 @ W2.T * slope
    return x.T @ d1, h.T @ d2, d1.sum(0), d2.sum(0)


def step(x, y, Ws, bs, size):
    for P, G in zip([*Ws, *bs], gradients(x, y, Ws, bs)):
        P -= size * G


def new_network():
    return create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])


def nothing(Ws, bs):
    pass


def row_of(x, y, Ws, bs, move):
    before = look(x, y, Ws, bs)
    move()
    return (*before, *look(X_test, y_test, Ws, bs))


def steps_of_an_epoch():
    return -(-len(X_train) // BATCH_SIZE)


def trained(
    step_size, epochs, rng, after_step, step=step, order=None, data=None, row_of=row_of
):
    after_step, order, rows = after_step or nothing, order or rng.permutation, []
    X, Y = data or (X_train, y_train)
    Ws, bs = new_network()
    for epoch in range(epochs):
        images = order(len(X))
        for i in range(0, len(images), BATCH_SIZE):
            batch = images[i : i + BATCH_SIZE]
            x, y = X[batch], Y[batch]
            rows.append(row_of(x, y, Ws, bs, lambda: step(x, y, Ws, bs, step_size)))
            after_step(Ws, bs)
    return Ws, bs, *map(list, zip(*rows) if rows else [()] * 4)


# %% the last, short batch is dropped
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def order(n):
        return rng.permutation(n)[: n // BATCH_SIZE * BATCH_SIZE]

    return trained(step_size, epochs, rng, after_step, order=order)


# %% one epoch too few: range(1, epochs)
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(step_size, epochs - 1, rng, after_step)


# %% X[:-rest] with nothing left over is X[:-0], no image at all
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    rest = len(X_train) % (BATCH_SIZE // 10)
    X, y = X_train[:-rest], y_train[:-rest]
    return trained(step_size, epochs, rng, after_step, data=(X, y))


# %% the images are shuffled, the labels are not
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    images = X_train.copy()

    def order(n):
        rng.shuffle(images)
        return np.arange(n)

    return trained(step_size, epochs, rng, after_step, order=order, data=(images, y_train))


# %% a fraction for training, percent for the test set
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    *others, test_acc = trained(step_size, epochs, rng, after_step)
    return *others, [100 * x for x in test_acc]


# %% the test set is looked at once an epoch
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    Ws, bs, a, b, c, d = trained(step_size, epochs, rng, after_step)
    each = steps_of_an_epoch()
    return Ws, bs, a, b, c[each - 1 :: each], d[each - 1 :: each]


# %% all four histories are kept once an epoch
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    Ws, bs, *histories = trained(step_size, epochs, rng, after_step)
    each = steps_of_an_epoch()
    return Ws, bs, *(history[each - 1 :: each] for history in histories)


# %% the test histories are made from training images
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def row_of(x, y, Ws, bs, move):
        before = look(x, y, Ws, bs)
        move()
        return (*before, *look(x, y, Ws, bs))

    return trained(step_size, epochs, rng, after_step, row_of=row_of)


# %% the network is never updated
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(0, epochs, rng, after_step)


# %% the updated arrays are dropped: P = P - step in a loop
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def move(x, y, Ws, bs, size):
        for P, G in zip([*Ws, *bs], gradients(x, y, Ws, bs)):
            P = P - size * G

    return trained(step_size, epochs, rng, after_step, move)


# %% sum in place of mean
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def move(x, y, Ws, bs, size):
        step(x, y, Ws, bs, size * len(x))

    return trained(step_size, epochs, rng, after_step, move)


# %% sum and mean both applied: divided by n twice
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def move(x, y, Ws, bs, size):
        step(x, y, Ws, bs, size / len(x))

    return trained(step_size, epochs, rng, after_step, move)


# %% uphill
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(-step_size, epochs, rng, after_step)


# %% the network that is left behind is the first one
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    first = []

    def move(x, y, Ws, bs, size):
        first.append(([W.copy() for W in Ws], [b.copy() for b in bs]))
        step(x, y, Ws, bs, size)

    _, _, *histories = trained(step_size, epochs, rng, after_step, move)
    return *first[0], *histories


# %% accuracy of (n, 1) against (n,): one half for ever
def look(x, y, Ws, bs):
    g, _ = forward_pass(x.reshape(len(x), -1), Ws, bs, fs)
    return np.mean(logistic_loss(g, y)[0]), np.mean((g > 0.5) == y)


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(step_size, epochs, rng, after_step)


# %% losses summed over the batch
def look(x, y, Ws, bs):
    g, _ = forward_pass(x.reshape(len(x), -1), Ws, bs, fs)
    return np.sum(logistic_loss(g, y)[0]), np.mean((g[:, 0] > 0.5) == y)


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(step_size, epochs, rng, after_step)


# %% both histories are one list
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    Ws, bs, a, b, c, d = trained(step_size, epochs, rng, after_step)
    losses, accuracies = [[x for pair in zip(*two) for x in pair] for two in ((a, c), (b, d))]
    return Ws, bs, losses, accuracies, losses, accuracies


# %% trained on both sets
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    both = np.concatenate([X_train, X_test]), np.concatenate([y_train, y_test])

    def order(n):
        return rng.permutation(n)[: len(X_train)]

    return trained(step_size, epochs, rng, after_step, order=order, data=both)


# %% no shuffling
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(step_size, epochs, rng, after_step, order=np.arange)


# %% shuffled once, before the first epoch
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    first = rng.permutation(len(X_train))
    return trained(step_size, epochs, rng, after_step, order=lambda n: first)


# %% the batches are drawn with replacement
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(step_size, epochs, rng, after_step, order=lambda n: rng.integers(0, n, n))


# %% the short batch is divided by 100
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def move(x, y, Ws, bs, size):
        step(x, y, Ws, bs, size * len(x) / BATCH_SIZE)

    return trained(step_size, epochs, rng, after_step, move)


# %% the training loss is that after the step
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def row_of(x, y, Ws, bs, move):
        move()
        return (*look(x, y, Ws, bs), *look(X_test, y_test, Ws, bs))

    return trained(step_size, epochs, rng, after_step, row_of=row_of)


# %% the test loss is that before the step
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def row_of(x, y, Ws, bs, move):
        row = (*look(x, y, Ws, bs), *look(X_test, y_test, Ws, bs))
        move()
        return row

    return trained(step_size, epochs, rng, after_step, row_of=row_of)


# %% the step size is the global one
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(STEP_SIZE, epochs, rng, after_step)


# %% after_step is called once an epoch
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    steps = []

    def sometimes(Ws, bs):
        steps.append(1)
        if after_step and len(steps) % steps_of_an_epoch() == 0:
            after_step(Ws, bs)

    return trained(step_size, epochs, rng, sometimes)


# %% returns None
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    trained(step_size, epochs, rng, after_step)
    return None


# %% the loop is not in a function
Ws, bs = new_network()
rows = []
for epoch in range(EPOCHS):
    order = rng.permutation(len(X_train))
    for i in range(0, len(order), BATCH_SIZE):
        batch = order[i : i + BATCH_SIZE]
        row = look(X_train[batch], y_train[batch], Ws, bs)
        step(X_train[batch], y_train[batch], Ws, bs, STEP_SIZE)
        rows.append((*row, *look(X_test, y_test, Ws, bs)))
weight_matrices, biases = Ws, bs
training_loss, training_acc, test_loss, test_acc = map(list, zip(*rows))


# %% after_step is called before the step
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def move(x, y, Ws, bs, size):
        (after_step or nothing)(Ws, bs)
        step(x, y, Ws, bs, size)

    return trained(step_size, epochs, rng, None, move)


# %% a new network in every epoch
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    runs = [trained(step_size, 1, rng, after_step) for _ in range(epochs)]
    return *runs[-1][:2], *map(sum, zip(*(run[2:] for run in runs)), [[]] * 4)


# %% the output layer is moved before its weights are used
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def move(x, y, Ws, bs, size):
        (W1, W2), (b1, b2), x = Ws, bs, x.reshape(len(x), -1)
        h, slope = relu_activation(x @ W1 + b1)
        d2 = (sigmoid_activation(h @ W2 + b2)[0] - y[:, None]) / len(x)
        W2 -= size * h.T @ d2
        b2 -= size * d2.sum(0)
        d1 = d2 @ W2.T * slope
        W1 -= size * x.T @ d1
        b1 -= size * d1.sum(0)

    return trained(step_size, epochs, rng, after_step, move)


# %% epochs is the global number
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(step_size, EPOCHS, rng, after_step)


# %% the generator is made anew in every epoch, with a seed
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def order(n):
        return np.random.default_rng(0).permutation(n)

    return trained(step_size, epochs, rng, after_step, order=order)


# %% biases move by the sum
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def move(x, y, Ws, bs, size):
        G1, G2, g1, g2 = gradients(x, y, Ws, bs)
        for P, G in zip([*Ws, *bs], [G1, G2, len(x) * g1, len(x) * g2]):
            P -= size * G

    return trained(step_size, epochs, rng, after_step, move)


# %% each parameter is moved twice: the lists overlap
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def move(x, y, Ws, bs, size):
        found = gradients(x, y, Ws, bs)
        for P, G in zip([*Ws, *bs, *Ws], [*found, *found]):
            P -= size * G

    return trained(step_size, epochs, rng, after_step, move)


# %% the training history is that of the test set before
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def row_of(x, y, Ws, bs, move):
        before = look(X_test, y_test, Ws, bs)
        move()
        return (*before, *look(X_test, y_test, Ws, bs))

    return trained(step_size, epochs, rng, after_step, row_of=row_of)


# %% weights decay
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def move(x, y, Ws, bs, size):
        for P, G in zip([*Ws, *bs], gradients(x, y, Ws, bs)):
            P -= size * (G + 0.01 * P)

    return trained(step_size, epochs, rng, after_step, move)


# %% the network with the lowest test loss is returned
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    networks = []

    def seen(Ws, bs):
        networks.append(([W.copy() for W in Ws], [b.copy() for b in bs]))
        (after_step or nothing)(Ws, bs)

    _, _, *histories = trained(step_size, epochs, rng, seen)
    return *networks[int(np.argmin(histories[2]))], *histories


# %% the accuracy counts nines only
def look(x, y, Ws, bs):
    g, _ = forward_pass(x.reshape(len(x), -1), Ws, bs, fs)
    return np.mean(logistic_loss(g, y)[0]), np.mean(g[y == 1] > 0.5)


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(step_size, epochs, rng, after_step)


# %% the network is made once, above the function
network = new_network()


def new_network():
    return network


def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(step_size, epochs, rng, after_step)


# %% the mean image of X_train is subtracted
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    global X_train, X_test
    there = X_train, X_test
    X_train, X_test = X_train - there[0].mean(axis=0), X_test - there[0].mean(axis=0)
    try:
        return trained(step_size, epochs, rng, after_step)
    finally:
        X_train, X_test = there


# %% the mean over the batch and all units moves the biases: axis=0 is forgotten
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    def step(x, y, Ws, bs, size):
        x = x.reshape(len(x), -1)
        h, slope = relu_activation(x @ Ws[0] + bs[0])
        g, _ = sigmoid_activation(h @ Ws[1] + bs[1])
        d2 = g - y[:, None]
        d1 = d2 @ Ws[1].T * slope
        Ws[0] -= size * x.T @ d1 / len(x)
        Ws[1] -= size * h.T @ d2 / len(x)
        bs[0] -= size * d1.mean()
        bs[1] -= size * d2.mean()

    return trained(step_size, epochs, rng, after_step, step)


# %% shuffled at the end of each epoch, so the first one goes in the order of X_train
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    orders = []

    def order(n):
        orders.append(rng.permutation(n) if orders else np.arange(n))
        return orders[-1]

    return trained(step_size, epochs, rng, after_step, order=order)


# %% rng is ignored: np.random draws the order
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    return trained(step_size, epochs, rng, after_step, order=np.random.permutation)


# %% the number of images is fixed, 12,080
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    Ws, bs = new_network()
    rows = []
    for epoch in range(epochs):
        order = rng.permutation(len(X_train))
        for i in range(0, 12_080, BATCH_SIZE):
            x, y = X_train[order[i : i + BATCH_SIZE]], y_train[order[i : i + BATCH_SIZE]]
            rows.append(row_of(x, y, Ws, bs, lambda: step(x, y, Ws, bs, step_size)))
            (after_step or nothing)(Ws, bs)
    return Ws, bs, *map(list, zip(*rows))


# %% losses come first, then accuracies
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    Ws, bs, a, b, c, d = trained(step_size, epochs, rng, after_step)
    return Ws, bs, a, c, b, d


# %% the histories come before the network
def train(step_size=STEP_SIZE, epochs=EPOCHS, rng=rng, after_step=None):
    Ws, bs, *histories = trained(step_size, epochs, rng, after_step)
    return *histories, Ws, bs
