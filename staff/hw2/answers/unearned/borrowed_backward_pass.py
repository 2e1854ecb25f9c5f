"""At most 2 points in test_my_nn_finite_difference_checker: it calls backward_pass, which is junk."""
# ruff: noqa


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    return [np.zeros(1)], [np.zeros(1)]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    g, caches = forward_pass(X_batch, weight_matrices, biases, activations)
    return backward_pass(logistic_loss(g, y_batch)[1], caches)
