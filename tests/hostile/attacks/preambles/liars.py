import itertools
import numpy as np

class Equal:
    "Equal to everything, in every way in which that can be asked."
    def yes(self, *a, **k):
        return True
    __eq__ = __le__ = __ge__ = __bool__ = __contains__ = yes
    def no(self, *a, **k):
        return False
    __ne__ = __lt__ = __gt__ = no
    def same(self, *a, **k):
        return self
    __sub__ = __rsub__ = __abs__ = __add__ = __radd__ = __mul__ = __rmul__ = same
    __neg__ = __round__ = __call__ = __array_wrap__ = astype = reshape = ravel = all = any = same
    __hash__ = __int__ = lambda self: 6
    __float__ = lambda self: 6.0
    __repr__ = __str__ = lambda self: "6"
    __array_ufunc__ = __array_function__ = lambda self, *a, **k: np.True_

class EqualFloat(float):
    __eq__ = __le__ = __ge__ = Equal.yes
    __ne__ = __lt__ = __gt__ = Equal.no
    __sub__ = __rsub__ = __abs__ = lambda self, *a: 0.0
    __hash__ = None


class Pretends:
    "Calls itself an instance of another class."
    def __init__(self, kind):
        self.kind = kind
    __class__ = property(lambda self: self.kind)
    dtype, shape, nbytes, size = np.dtype(float), (), 8, 1
    __array__ = lambda self, *a, **k: np.zeros(7)
    __eq__ = Equal.yes
    __hash__ = None

class Endless:
    def __iter__(self):
        while True:
            yield 6
class Changing:
    "Another value each time that it is looked at."
    count = itertools.count()
    __iter__ = lambda self: iter([next(self.count)] * (next(self.count) % 3))
    __len__ = lambda self: next(self.count)
    __getitem__ = lambda self, key: next(self.count)
    __array__ = lambda self, *a, **k: np.array(next(self.count))
def cyclic():
    inner = [6.0]
    inner.append(inner)
    return inner
