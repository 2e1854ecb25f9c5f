"""Wrong answers to q1_3a."""
# ruff: noqa


# %% The gradients of backward_pass, not differences
g_ref, ref_caches = forward_pass(X_ref, W_ref, b_ref, ref_activations)
fd_grad_Ws, fd_grad_bs = backward_pass(logistic_loss(g_ref, y_ref)[1], ref_caches)
