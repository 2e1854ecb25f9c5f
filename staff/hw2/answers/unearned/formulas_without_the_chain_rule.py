"""At most 45 points: all formulas but the chain rule, linearised differences, a forged training."""
# ruff: noqa
# with linearised_differences.py
# with forged_training.py

# The other answers are the solutions: formulas that are tried until all visible values fit.


# %% q1_3d
fd_grad_Ws = fd_grad_bs = bp_grad_Ws = bp_grad_bs = [np.zeros(1)]
largest_relative_error = 0.0
