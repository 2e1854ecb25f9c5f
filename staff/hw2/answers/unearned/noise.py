"""At most 10 points: noise of the right shapes, and two right initialisations."""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    return rng.random(np.shape(x)), rng.random(np.shape(x)) / 4


# %% logistic_loss
def logistic_loss(g, y):
    return rng.random((len(g), 1)), rng.normal(size=(len(g), 1))


# %% relu_activation
def relu_activation(s):
    return rng.random(np.shape(s)), rng.integers(0, 2, np.shape(s))


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    return rng.random((len(x), W.shape[1])), W.shape


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    shapes = [W.shape for W in weight_matrices]
    return rng.random((len(X_batch), shapes[-1][1])), shapes


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    n = len(dL_dg)
    grad_Ws = [rng.normal(size=(n, *shape)) for shape in layer_caches]
    return grad_Ws, [rng.normal(size=(n, 1, shape[1])) for shape in layer_caches]


# %% train
def train(step_size=0.1, epochs=5, rng=rng, after_step=None):
    Ws, bs = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    steps = epochs * -(-len(X_train) // 100)
    for _ in range(steps if after_step else 0):
        after_step(Ws, bs)
    falling = [list(np.linspace(0.69, 0.05, steps) + 0.01 * rng.random(steps)) for _ in range(2)]
    rising = [list(np.linspace(0.5, 0.98, steps) + 0.01 * rng.random(steps)) for _ in range(2)]
    return Ws, bs, falling[0], rising[0], falling[1], rising[1]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    n = len(X_batch)
    grad_Ws = [rng.normal(size=(n, *W.shape)) for W in weight_matrices]
    return grad_Ws, [rng.normal(size=(n, *b.shape)) for b in biases]
