"""Raises where IPython asks whether a cell is asynchronous."""

# /// attack
# prints = ["armed"]
# ///

# %% before
def should_run_async(*_, **__):
    raise SystemExit("no")
get_ipython().should_run_async = should_run_async
print("armed")
