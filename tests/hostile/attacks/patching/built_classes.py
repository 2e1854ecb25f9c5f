"""Gives every new class methods that return True."""

# /// attack
# prints = ["built ['Mine'] True"]
# ///

# %% before
import builtins
built, before = [], builtins.__build_class__
def build(function, name, *bases, **named):
    built.append(name)
    made = before(function, name, *bases, **named)
    for method in ("__eq__", "__le__", "__lt__", "__ge__", "__gt__", "__bool__"):
        try:
            setattr(made, method, lambda *a: True)
        except (AttributeError, TypeError):
            pass
    return made
builtins.__build_class__ = build
class Mine:
    pass
print("built", built, Mine() < 1)
