"""Calls back with a function that calls the notebook, which calls back."""

# /// attack
# uses = ["again"]
# prints = ["more than 100 nested calls"]
# ///

# %% apply
def apply(f, x):
    return f(lambda g: apply(g, x))
