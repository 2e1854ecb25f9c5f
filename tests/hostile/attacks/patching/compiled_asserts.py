"""Removes assert statements when the kernel compiles code.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["still here"]
# ///

# %% before
import builtins
before = builtins.compile
def optimizing(source, filename, mode, *arguments, **named):
    named["optimize"] = 2
    return before(source, filename, mode, *arguments[:2], **named)
builtins.compile = optimizing

# %% after
assert False
print('still h' + 'ere')
