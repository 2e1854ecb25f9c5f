"""Mutants that are right answers, each with the reason why.

Keys are the changed line as it reads in the mutant. `make validity` says which are no longer made,
or are caught by a test cell.
"""

_COMMUTES = "a sum or product of floats does not depend on the order of two operands"
_NO_CLIP = "g lies in (0, 1), so a loss without this limit is as right"
_FLOAT64 = "g is float64 by the contract"
_SAME_SIZE = "another limit of the same size is as good"
_CACHE = (
    "the cache is the student's own business; that backward_pass cannot read this one is charged "
    "to backward_pass"
)
_MIRRORED = "the distribution is symmetric about 0"
_OVERWRITTEN = "every entry is written before it is read"
_AXIS = "trailing axes that are not named are taken whole"

EQUIVALENT: dict[str, dict[str, str]] = {
    "sigmoid_activation": {
        "pass  # x = np.asarray(x, dtype=float)": "arrays and numbers work without it",
        "x = x": "arrays and numbers work without it",
        "x = np.asarray(x)": "np.exp turns integers into floats by itself",
        "out = np.where(x >= 0, 1.0, small) / (small + 1.0)": _COMMUTES,
        "grad = small / (small + 1.0) ** 2": _COMMUTES,
        "out = np.where(x > 0, 1.0, small) / (1.0 + small)": "at x = 0 both branches are 1",
        "grad = small / (-(1.0 + small)) ** 2": "the square of the negative is the same",
    },
    "logistic_loss": {
        "pass  # g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 1e-15)": _NO_CLIP,
        "g = np.asarray(g, dtype=float)": _NO_CLIP,
        "g = np.clip(g, 1e-15, 1 - 1e-15)": _FLOAT64,
        "g = np.clip(np.asarray(g), 1e-15, 1 - 1e-15)": _FLOAT64,
        "g = np.clip(1e-15, np.asarray(g, dtype=float), 1 - 1e-15)": (
            "the larger of g and 1e-15 in either order"
        ),
        "g = np.clip(np.asarray(g, dtype=float), -1e-15, 1 - 1e-15)": _NO_CLIP,
        "g = np.clip(np.asarray(g, dtype=float), -0.999999999999999, 1 - 1e-15)": _NO_CLIP,
        "g = np.clip(np.asarray(g, dtype=float), 2e-15, 1 - 1e-15)": _SAME_SIZE,
        "g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - 2e-15)": _SAME_SIZE,
        "g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 + 1e-15)": _NO_CLIP,
        "g = np.clip(np.asarray(g, dtype=float), 1e-15, 1)": _NO_CLIP,
        "g = np.clip(np.asarray(g, dtype=float), 1e-15, 2 - 1e-15)": _NO_CLIP,
        "g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - -1e-15)": _NO_CLIP,
        "g = np.clip(np.asarray(g, dtype=float), 1e-15, 1 - -0.999999999999999)": _NO_CLIP,
        "y = np.reshape(y, (-2, 1))": "NumPy takes any negative length for 'what is left'",
    },
    "relu_activation": {
        "pass  # s = np.asarray(s)": "s is an array by the contract",
        "s = s": "s is an array by the contract",
        "return (np.maximum(0, s), (s > 0).astype(float))": "the larger of two in either order",
        "return (np.maximum(s, 0), s > 0)": "a bool mask is as good as a float one",
        "return (np.maximum(s, 0), (s >= 0).astype(float))": "the derivative at 0 may be 0 or 1",
    },
    "layer_forward": {
        "out, dout_ds = activation_fn(b + x @ W)": _COMMUTES,
        "return (out, (W, x, dout_ds))": _CACHE,
        "return (out, (x, dout_ds, W))": _CACHE,
        "return (out, (W, dout_ds))": _CACHE,
        "return (out, (x, dout_ds))": _CACHE,
        "return (out, (x, W))": _CACHE,
    },
    "create_weight_matrices": {
        "return [-rng.normal(0.0, 0.01, shape) "
        "for shape in zip(layer_dims[:-1], layer_dims[1:])]": _MIRRORED,
        "return [rng.normal(0.0, 0.01, shape) "
        "for shape in zip(layer_dims, layer_dims[1:])]": "zip ends with the shorter of the two",
    },
    "create_bias_vectors": {
        "return [-rng.normal(0.0, 0.01, (1, d)) for d in layer_dims[1:]]": _MIRRORED,
    },
    "forward_pass": {"layer_caches.extend(cache)": _CACHE},
    "backward_pass": {
        "grad_bs, grad_Ws = ([], [])": "both are new empty lists",
        "delta = dout_ds * dL_dout": _COMMUTES,
        "grad_Ws.insert(0, delta[:, None, :] * x[:, :, None])": _COMMUTES,
        "grad_Ws.insert(0, x[:, :, None] * delta[:, None])": _AXIS,
        "grad_bs.insert(0, delta[:, None])": _AXIS,
    },
    "my_nn_finite_difference_checker": {
        "for row, column in list(np.ndindex(parameter.shape))[::-1]:": (
            "the order in which the entries are moved does not matter"
        ),
        "g, _ = forward_pass(X_batch, parameters, parameters[layers:], activations)": (
            "zip in forward_pass ends with the shorter of the lists"
        ),
        "parameters, layers = ([*weight_matrices, *biases], -len(weight_matrices))": (
            "the first L of 2 L parameters are all but the last L"
        ),
        "gradient = -np.empty((len(X_batch), *parameter.shape))": _OVERWRITTEN,
        "gradient = np.ones((len(X_batch), *parameter.shape))": _OVERWRITTEN,
        "gradient = np.zeros((len(X_batch), *parameter.shape))": _OVERWRITTEN,
    },
}
