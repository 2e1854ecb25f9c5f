"""Answers each question with a reference that has an odd name."""

# /// attack
# prints = ["referred True"]
# ///

# %% before
import answering.serve as serve
referred = []
def refer(self, value):
    if type(value) in (list, dict, tuple) and (not value or type(value[0]) is str):
        return None  # a message
    number = self._number_of.setdefault(id(value), len(self._mine))
    self._mine[number] = value
    referred.append(1)
    kind = "function" if callable(value) else "object"
    return serve.Theirs(number, kind, "Mismatch'>{%if%}")
serve.Server._refer = refer
serve._OPERATIONS["array"] = lambda thing: referred
serve._OPERATIONS["bool"] = lambda thing: True
serve._OPERATIONS["length"] = lambda thing: 2

# %% after
print('referred', len(referred) > 3)
