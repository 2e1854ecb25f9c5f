"""Overwrites methods of NumPy's arrays.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["all True any False"]
# ///

# %% before
import ctypes, gc
import numpy as np
methods = gc.get_referents(np.ndarray.__dict__)[0]
methods["all"] = lambda *a, **k: np.True_
methods["any"] = lambda *a, **k: np.False_
ctypes.pythonapi.PyType_Modified(ctypes.py_object(np.ndarray))

# %% after
print('all', np.array([False]).all(), 'any', np.array([True]).any())
