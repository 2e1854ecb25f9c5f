"""Calls back within callbacks within callbacks.

The second part of the test is honest.
"""

# /// attack
# scores = {test_apply = 1.0}
# problems = []
# prints = ["depth"]
# ///

# %% apply
depth = [0]
def apply(f, x):
    depth[0] += 1
    return f(x)

# %% test_apply
checks = Checks("apply")
@checks.part("deeper and deeper", points=1)
def _():
    def again(x):
        return apply(again, x)
    assert_close(apply(again, 1.0), 1.0)
@checks.part("and then", points=1)
def _():
    assert_close(apply(lambda x: x, 2.0), 2.0)
checks.score()

# %% after
print('depth', depth)
