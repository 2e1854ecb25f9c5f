"""Prints one output that is very large."""

# /// attack
# limits = {cpu_seconds_per_cell = 10.0, iopub_timeout = 1}
# prints = ["after"]
# problems_among = ["output-limit", "kernel"]
# bounded = true
# ///

# %% before
VARIANT

# %% after
print('after')

# %% variant a text of 50 MB
print('x' * 50_000_000)

# %% variant json of deep lists
from IPython.display import publish_display_data as show
deep = []
for _ in range(900):
    deep = [deep]
show({'application/json': deep})
