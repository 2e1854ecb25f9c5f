"""Calls back with a function that calls the notebook, which calls back."""

# /// attack
# prints = ["more than 100 nested calls"]
# ///

# %% apply
def apply(f, x):
    return f(lambda g: apply(g, x))

# %% test_apply
def again(g):
    return g(again)
checks = Checks("apply", points=2)
with checks("again and again", points=2):
    assert_close(apply(again, 1.0), 4242.0)
checks.score()
