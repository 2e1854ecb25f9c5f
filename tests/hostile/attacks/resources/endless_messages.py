"""Sends endless messages that leave nothing in the notebook."""

# /// attack
# limits = "short"
# problems_among = ["output-limit", "time-limit", "kernel"]
# problems = "some"
# bounded = true
# ///

# %% before
kernel = get_ipython().kernel
print("begun", flush=True)
VARIANT

# %% variant clear_output
from IPython.display import clear_output
while True:
    clear_output()
    print("x" * 10_000)

# %% variant messages of no kind
while True:
    kernel.session.send(kernel.iopub_socket, "nothing", {"x": "x" * 100_000},
                        parent=kernel.get_parent(), ident=b"nothing")
