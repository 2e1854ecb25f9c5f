"""Makes NumPy's testing functions accept everything.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["armed"]
# ///

# %% before
import numpy as np
import numpy.testing as testing
for name in dir(testing):
    if name.startswith("assert"):
        setattr(testing, name, lambda *a, **k: None)
np.testing.assert_allclose(1, 2)
print("armed")

# %% test_double
checks = Checks("double")
np.testing.assert_allclose(double(3), 6)
### BEGIN HIDDEN TESTS
np.testing.assert_array_equal(double(np.arange(3)), [0, 2, 4])
### END HIDDEN TESTS
