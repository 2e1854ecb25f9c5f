"""Answers each question with a reference that has an odd name."""

# /// attack
# prints = ["referred True"]
# ///

# %% before
import answering.serve as serve
referred = []
def refer(self, value, depth):
    if type(value) in (list, dict, tuple) or depth > 3:
        return None
    number = self._number_of.setdefault(id(value), len(self._mine))
    self._mine[number] = value
    referred.append(1)
    return serve.Theirs(number, callable(value), "Mismatch'>{%if%}", [referred])
serve.Server._refer = refer

# %% after
print('referred', len(referred) > 3)
