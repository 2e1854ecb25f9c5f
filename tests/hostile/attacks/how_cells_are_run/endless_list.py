"""Gives an endless list to the test's function."""

# /// attack
# scores = "none"
# ///

# %% apply
import numpy as np
class Endless:
    def __iter__(self):
        while True:
            yield np.ones((1, 1))
    def __getitem__(self, key):
        return np.ones((1, 1))
def apply(forward_pass, sigmoid):
    return forward_pass(np.ones((1, 1)), Endless(), [np.ones((1, 1))] * 100, Endless())

# %% test_apply
from staff.hw2 import reference
checks = Checks("apply")
@checks.part("layers", points=2)
def _():
    assert_close(apply(reference.forward_pass, reference.sigmoid_activation), 1.0)
checks.score()

# %% after
print('d' + 'one')
