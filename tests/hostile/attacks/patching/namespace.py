"""Replaces the kernel's namespace by one with wrong values."""

# /// attack
# prints_unless = {asked = []}
# ///

# %% before
import answering.start
asked = []
class Names(dict):
    def get(self, name, default=None):
        asked.append(name)
        return lambda *a, **k: self
    def values(self):
        raise RuntimeError("no")
    def __len__(self):
        return 2
    def __iter__(self):
        while True:
            yield 6
server = answering.start._server()
server._names = Names(get_ipython().user_ns)

# %% after
print('asked', 'double' in asked or len(asked))
