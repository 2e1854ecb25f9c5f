"""One flat dictionary of A0, W1, Z1, A1, … as in a well-known course.

backward_pass reads it by its numbers, and keeps its gradients in another one.
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid(Z):
    A = np.zeros(Z.shape)
    A[Z >= 0] = 1 / (1 + np.exp(-Z[Z >= 0]))
    A[Z < 0] = np.exp(Z[Z < 0]) / (1 + np.exp(Z[Z < 0]))
    return A


def sigmoid_activation(x):
    A = sigmoid(x)
    return A, A * (1 - A)


# %% logistic_loss
def logistic_loss(g, y):
    g = np.clip(g, 1e-7, 1 - 1e-7)
    Y = y.reshape(g.shape[0], 1)
    cost = -(np.multiply(np.log(g), Y) + np.multiply(np.log(1 - g), 1 - Y))
    dAL = -(np.divide(Y, g) - np.divide(1 - Y, 1 - g))
    return cost, dAL


# %% relu_activation
def relu_activation(s):
    A = np.maximum(0, s)
    dZ = np.array(np.ones(s.shape), copy=True)
    dZ[s <= 0] = 0
    assert A.shape == s.shape and dZ.shape == s.shape
    return A, dZ


# %% layer_forward
def linear_forward(A, W, b):
    Z = A.dot(W) + b
    cache = (A, W, b)
    return Z, cache


def layer_forward(x, W, b, activation_fn):
    Z, linear_cache = linear_forward(x, W, b)
    A, dA_dZ = activation_fn(Z)
    return A, (linear_cache, (Z, dA_dZ))


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    parameters = {}
    L = len(layer_dims)
    for l in range(1, L):
        parameters["W" + str(l)] = np.random.randn(layer_dims[l - 1], layer_dims[l]) * 0.01
    return [parameters["W" + str(l)] for l in range(1, L)]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    parameters = {}
    L = len(layer_dims)
    for l in range(1, L):
        parameters["b" + str(l)] = np.random.randn(1, layer_dims[l]) * 0.01
    return [parameters["b" + str(l)] for l in range(1, L)]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    L = len(weight_matrices)
    memory = {"A0": X_batch}
    for l in range(1, L + 1):
        A_prev = memory["A" + str(l - 1)]
        A, (linear_cache, activation_cache) = layer_forward(
            A_prev, weight_matrices[l - 1], biases[l - 1], activations[l - 1]
        )
        memory["A" + str(l)] = A
        memory["W" + str(l)] = weight_matrices[l - 1]
        memory["Z" + str(l)], memory["dA" + str(l)] = activation_cache
    return memory["A" + str(L)], memory


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    L = sum(1 for key in layer_caches if key.startswith("W"))
    grads = {}
    dA = dL_dg
    for l in range(L, 0, -1):
        dZ = dA * layer_caches["dA" + str(l)]
        A_prev = layer_caches["A" + str(l - 1)]
        grads["dW" + str(l)] = np.einsum("ni,nj->nij", A_prev, dZ)
        grads["db" + str(l)] = dZ.reshape(dZ.shape[0], 1, dZ.shape[1])
        dA = np.dot(dZ, layer_caches["W" + str(l)].T)
    return (
        [grads["dW" + str(l)] for l in range(1, L + 1)],
        [grads["db" + str(l)] for l in range(1, L + 1)],
    )


# %% my_nn_finite_difference_checker
import copy


def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    epsilon = 1e-5
    m = X_batch.shape[0]
    parameters = {"W": weight_matrices, "b": biases}
    gradsapprox = {"W": [], "b": []}
    for kind in ("W", "b"):
        for l in range(len(weight_matrices)):
            grad = np.zeros((m,) + parameters[kind][l].shape)
            for i in range(parameters[kind][l].shape[0]):
                for j in range(parameters[kind][l].shape[1]):
                    J = {}
                    for sign in (1, -1):
                        theta = copy.deepcopy(parameters)
                        theta[kind][l][i][j] = theta[kind][l][i][j] + sign * epsilon
                        AL, _ = forward_pass(X_batch, theta["W"], theta["b"], activations)
                        J[sign], _ = logistic_loss(AL, y_batch)
                    grad[:, i, j] = np.squeeze((J[1] - J[-1]) / (2 * epsilon), axis=1)
            gradsapprox[kind].append(grad)
    return gradsapprox["W"], gradsapprox["b"]


# %% q1_3d
AL, memory = forward_pass(X_ref, W_ref, b_ref, ref_activations)
cost, dAL = logistic_loss(AL, y_ref)
bp_grad_Ws, bp_grad_bs = backward_pass(dAL, memory)
differences = []
for grad, gradapprox in zip(bp_grad_Ws + bp_grad_bs, fd_grad_Ws + fd_grad_bs):
    numerator = np.linalg.norm(grad - gradapprox)
    denominator = np.linalg.norm(grad) + np.linalg.norm(gradapprox)
    differences.append(numerator / denominator)
print(differences)
largest_relative_error = max(differences)
