"""Makes the test's function compute for very long.

Such functions replace a student's own while finite differences are tested.
"""

# /// attack
# scores = "none"
# ///

# %% apply
import numpy as np
def apply(forward_pass, sigmoid):
    print("asked")
    one = np.ones((1, 1))
    return forward_pass(np.ones((200_000, 1)), [one] * 3000, [one] * 3000, [sigmoid] * 3000)

# %% test_apply
from staff.hw2 import reference
checks = Checks("apply")
@checks.part("layers", points=2)
def _():
    assert_close(apply(reference.forward_pass, reference.sigmoid_activation), 1.0)
checks.score()

# %% after
print('d' + 'one')
