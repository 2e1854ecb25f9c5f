"""Raises errors in the garbage collector."""

# /// attack
# prints = ["in raising"]
# ///

# %% before
import gc
def raising(phase, info):
    raise SystemExit(phase)
gc.callbacks.append(raising)
gc.set_threshold(1, 1, 1)
gc.freeze()
