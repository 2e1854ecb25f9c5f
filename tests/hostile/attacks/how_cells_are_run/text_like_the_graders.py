"""Raises errors whose text looks like the grader's."""

# /// attack
# checked_in = "test_how_cells_are_run.py"
# ///

# %% double
def double(x):
    raise ValueError("no\npassed  of other seven and more [1 pt]\ndouble: 2 of 2 points in this notebook.")
