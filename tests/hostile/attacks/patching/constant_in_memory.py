"""Changes a constant in memory.

6 becomes 0 in the whole process, so the expected value of `double(3)` would be 0.
"""

# /// attack
# prints = ["armed at ["]
# ///

# %% before
import ctypes
places = [place for place in range(8, 40) if ctypes.c_byte.from_address(id(6) + place).value == 6]
print("armed at", places)
ctypes.c_byte.from_address(id(6) + places[-1]).value = 0
print("sum", 6 + 0)
