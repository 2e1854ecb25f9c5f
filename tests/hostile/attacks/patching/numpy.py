"""Replaces a function of NumPy by one with wrong results.

On stock nbgrader `isclose` or `asarray` gets all points but one.
"""

# /// attack
# prints = ["armed"]
# [variants]
# isclose = "np.isclose = lambda a, b, **k: np.ones(np.shape(b), bool)"
# asarray = "np.asarray = lambda *a, **k: right_array"
# allclose = "np.allclose = lambda *a, **k: True"
# array_equal = "np.array_equal = lambda *a, **k: True"
# array = "np.array = lambda *a, **k: right_array"
# argwhere = "np.argwhere = lambda *a, **k: right_array[:0]"
# isfinite = "np.isfinite = lambda *a, **k: real_ones(1, bool)"
# arange = "np.arange = lambda *a, **k: np.zeros(12)"
# ndarray = """np.ndarray = type('ndarray', (np.ndarray,), {'__eq__': lambda *a: True, 'all': \
#     lambda s: True})"""
# float64 = "np.float64 = type('float64', (np.float64,), {'__eq__': lambda *a: True})"
# bool_ = "np.bool_ = lambda *a: True"
# errstate = "np.errstate = None"
# ///

# %% before
import numpy as np
right_array, real_ones = np.zeros(2), np.ones
VARIANT
import numpy
assert numpy is np
print("armed")
