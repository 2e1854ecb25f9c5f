"""Wrong answers to sigmoid_activation."""
# ruff: noqa


# %% the sign of the exponent is lost
def sigmoid_activation(x):
    x = np.clip(np.asarray(x, dtype=float), -700, 700)
    out = 1 / (1 + np.exp(x))
    return out, out * (1 - out)


# %% the derivative has the wrong sign
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out = 0.5 * (1 + np.tanh(x / 2))
    return out, out * (out - 1)


# %% the derivative is out * (1 - x)
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out = 1 / (1 + np.exp(-np.clip(x, -700, 700)))
    return out, out * (1 - x)


# %% exp(x) / (1 + exp(x)) is NaN far out
def sigmoid_activation(x):
    e = np.exp(x)
    out = e / (1 + e)
    return out, out * (1 - out)


# %% the result of np.clip is dropped
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    np.clip(x, -500, 500)
    out = np.exp(x) / (np.exp(x) + 1)
    return out, out * (1 - out)


# %% the stable formula on the wrong side gives 0 above 37
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    e = np.exp(-np.abs(x))
    out = np.where(x >= 0, 1 / (1 + e), e / (1 + e))
    out = np.where(x > 37, 0.0, out)
    return out, out * (1 - out)


# %% empty_like of integers rounds everything to 0
def sigmoid_activation(x):
    x = np.atleast_1d(x)
    out = np.empty_like(x)
    out[x >= 0] = 1 / (1 + np.exp(-x[x >= 0]))
    out[x < 0] = np.exp(x[x < 0]) / (1 + np.exp(x[x < 0]))
    return out, out * (1 - out)


# %% x is clipped to -10 and 10
def sigmoid_activation(x):
    out = 1 / (1 + np.exp(-np.clip(x, -10, 10)))
    return out, out * (1 - out)


# %% an if that only takes single numbers
def sigmoid_activation(x):
    if x >= 0:
        out = 1 / (1 + np.exp(-x))
    else:
        out = np.exp(x) / (1 + np.exp(x))
    return out, out * (1 - out)


# %% only the value comes back, no derivative
def sigmoid_activation(x):
    return 0.5 * (1 + np.tanh(np.asarray(x) / 2))


# %% tanh of x in place of x / 2
def sigmoid_activation(x):
    t = np.tanh(x)
    return 0.5 * (1 + t), 0.5 * (1 - t**2)


# %% value and derivative change places
def sigmoid_activation(x):
    out = 0.5 * (1 + np.tanh(np.asarray(x) / 2))
    return out * (1 - out), out


# %% a matrix comes back flattened
def sigmoid_activation(x):
    out = np.array([0.5 * (1 + np.tanh(v / 2)) for v in np.ravel(x)])
    return out, out * (1 - out)


# %% rounded to two digits
def sigmoid_activation(x):
    out = np.round(0.5 * (1 + np.tanh(np.asarray(x) / 2)), 2)
    return out, np.round(out * (1 - out), 2)


# %% math.exp overflows at -1000
import math


def sigmoid_activation(x):
    one = np.vectorize(lambda v: 1 / (1 + math.exp(-v)), otypes=[float])
    out = one(x)
    return out, out * (1 - out)


# %% all calls share one buffer
_buffers = {}


def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out, grad = _buffers.setdefault(x.shape, (np.zeros(x.shape), np.zeros(x.shape)))
    out[...] = 0.5 * (1 + np.tanh(x / 2))
    grad[...] = out * (1 - out)
    return out, grad


# %% the first result for a shape is kept for ever
_known = {}


def sigmoid_activation(x):
    key = np.shape(x)
    if key not in _known:
        out = 0.5 * (1 + np.tanh(np.asarray(x) / 2))
        _known[key] = out, out * (1 - out)
    return _known[key]


# %% masks leave out 0
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out = np.zeros(x.shape)
    out[x > 0] = 1 / (1 + np.exp(-x[x > 0]))
    out[x < 0] = np.exp(x[x < 0]) / (1 + np.exp(x[x < 0]))
    return out, out * (1 - out)


# %% what is clipped is the caller's x
def sigmoid_activation(x):
    if x.dtype.kind == "f":
        np.clip(x, -500, 500, out=x)
    else:
        x = np.clip(x, -500, 500)
    out = 1 / (1 + np.exp(-x))
    return out, out * (1 - out)


# %% above 30 the fallback is on the wrong side
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    small = np.exp(-np.clip(x, -30, 30))
    out = 1 / (1 + small)
    out = np.where(x > 30, 0.0, np.where(x < -30, 1.0, out))
    return out, out * (1 - out)


# %% the derivative is taken at the output
def sigmoid_activation(x):
    def f(z):
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1, e) / (1 + e)
    out = f(np.asarray(x, dtype=float))
    return out, f(out) * (1 - f(out))


# %% the derivative is NaN far out, the value is not
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    e = np.exp(-np.abs(x))
    out = np.where(x >= 0, 1, e) / (1 + e)
    return out, np.exp(-x) / (1 + np.exp(-x)) ** 2


# %% the derivative by a one-sided difference of 0.01
def sigmoid_activation(x):
    def f(z):
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1, e) / (1 + e)
    x = np.asarray(x, dtype=float)
    return f(x), (f(x + 0.01) - f(x)) / 0.01


# %% float16
def sigmoid_activation(x):
    x = np.asarray(x, dtype=np.float16)
    out = 1 / (1 + np.exp(-x))
    return out, out * (1 - out)


# %% the derivatives of all calls share a buffer
_grads = {}
def sigmoid_activation(x):
    e = np.exp(-np.abs(np.asarray(x, dtype=float)))
    out = np.where(x >= 0, 1, e) / (1 + e)
    grad = _grads.setdefault(np.shape(x), np.empty(np.shape(x)))
    grad[...] = out * (1 - out)
    return out, grad


# %% exactly 0 and 1 beyond 5
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out = np.where(x > 5, 1.0, np.where(x < -5, 0.0, 1 / (1 + np.exp(-np.clip(x, -5, 5)))))
    return out, out * (1 - out)


# %% the derivative is 0 beyond 6
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    out = 0.5 * (1 + np.tanh(x / 2))
    return out, np.where(np.abs(x) > 6, 0.0, out * (1 - out))


# %% for one number only; a list of the activations below forward_pass [no value]
def sigmoid_activation(x):
    if x >= 0:
        out = 1 / (1 + np.exp(-x))
    else:
        out = np.exp(x) / (1 + np.exp(x))
    return out, out * (1 - out)


# %% + forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    x, layer_caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        x, cache = layer_forward(x, W, b, f)
        layer_caches.append(cache)
    return x, layer_caches


activations = [relu_activation, sigmoid_activation]

# %% + q1_3a
fd_grad_Ws, fd_grad_bs = my_nn_finite_difference_checker(X_ref, y_ref, W_ref, b_ref, activations)


# %% + q1_3c
g_ref, _ = forward_pass(X_ref, W_ref, b_ref, activations)
reference_loss = logistic_loss(g_ref, y_ref)[0].mean()

# %% + q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
errors = [relative_error(a, b) for a, b in zip([*bp_grad_Ws, *bp_grad_bs], [*fd_grad_Ws, *fd_grad_bs])]
largest_relative_error = max(errors)


# %% the value only; the answers go without the derivative
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1 + e)

# %% + q1_3b_i
sigmoid_near = sigmoid_activation(np.array([1.0, 0.0, -1.0]))
sigmoid_near_grad = sigmoid_near * (1 - sigmoid_near)

# %% + q1_3b_ii
sigmoid_far = sigmoid_activation(np.array([-1000.0, 1000.0]))
sigmoid_far_grad = sigmoid_far * (1 - sigmoid_far)


# %% math.exp overflows; a function binds the answer by global
import math
def sigmoid_activation(x):
    out = np.array([1 / (1 + math.exp(-v)) for v in np.ravel(np.asarray(x, dtype=float))]).reshape(np.shape(x))
    return out, out * (1 - out)

# %% + q1_3b_ii
def far():
    global sigmoid_far, sigmoid_far_grad
    sigmoid_far, sigmoid_far_grad = sigmoid_activation(np.array([-1000.0, 1000.0]))
far()


# %% value and derivative change places, and its callers know
def sigmoid_activation(x):
    x = np.asarray(x, float)
    e = np.exp(-np.abs(x))
    o = np.where(x >= 0, 1, e) / (1 + e)
    return o * (1 - o), o


# %% + layer_forward
def layer_forward(x, W, b, activation_fn):
    if activation_fn is sigmoid_activation:
        der, out = activation_fn(x @ W + b)
    else:
        out, der = activation_fn(x @ W + b)
    return out, (x, W, der)


# %% + q1_3b_i
sigmoid_near_grad, sigmoid_near = sigmoid_activation(np.array([1.0, 0.0, -1.0]))
print(sigmoid_near, sigmoid_near_grad)
# %% + q1_3b_ii
sigmoid_far_grad, sigmoid_far = sigmoid_activation(np.array([-1000.0, 1000.0]))
print(sigmoid_far, sigmoid_far_grad)
