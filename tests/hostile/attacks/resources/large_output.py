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

# %% variant a picture of 50 MB
from IPython.display import display, Image
display(Image(data=b'\x89PNG\r\n\x1a\n' + bytes(50_000_000), format='png'))

# %% variant ten thousand outputs
from IPython.display import display
for number in range(10_000):
    display(number)

# %% variant json of deep lists
from IPython.display import publish_display_data as show
deep = []
for _ in range(900):
    deep = [deep]
show({'application/json': deep})
