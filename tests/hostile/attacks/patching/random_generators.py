"""Makes random generators return one number."""

# /// attack
# prints = ["armed"]
# ///

# %% before
import random
import numpy as np
class Same(np.random.Generator):
    def __getattribute__(self, name):
        return lambda *a, **k: np.zeros(2)
np.random.default_rng = lambda *a: Same(np.random.PCG64(0))
np.random.seed(0)
np.random.set_state = np.random.get_state = lambda *a: None
random.setstate = random.getstate = lambda *a: None
rng = Same(np.random.PCG64(0))  # its bit generator is none
print("armed")
