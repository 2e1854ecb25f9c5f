"""Changes its input, from which the next test computes the expected value.

Both tests pass an array of the instructor's. One point on stock nbgrader.
"""

# /// attack
# prints = ["done"]
# ///

# %% setup
labels = np.array([[1.0, 2.0], [5.0, 7.0]])

# %% double
def double(x):
    x[:] = 0
    return 0 * x

# %% test_double
checks = Checks("double")
@checks.part("of the labels", points=2)
def _():
    assert_close(double(labels), [[2.0, 4.0], [10.0, 14.0]])
checks.score()

# %% mean
def mean(x):
    return [0.0, 0.0]

# %% test_mean
checks = Checks("mean")
@checks.part("of the labels", points=3)
def _():
    assert_close(mean(labels.copy()), labels.mean(axis=0))
checks.score()

# %% after
print('d' + 'one')
