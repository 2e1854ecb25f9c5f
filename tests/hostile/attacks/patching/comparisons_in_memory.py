"""Replaces the comparisons of numbers in memory."""

# /// attack
# prints_unless = {armed = []}
# ///

# %% before
import ctypes

class Equal:
    def __eq__(self, other):
        return True
    def __lt__(self, other):
        return True
    def __le__(self, other):
        return True
    __hash__ = None

# tp_richcompare stands 25 words into a type; that of Equal goes to float and int.
where = 25 * ctypes.sizeof(ctypes.c_void_p)
taken = ctypes.c_void_p.from_address(id(Equal) + where)
for kind in (float, int):
    before = ctypes.c_void_p.from_address(id(kind) + where).value
    ctypes.c_void_p.from_address(id(kind) + where).value = taken.value
print("armed")
