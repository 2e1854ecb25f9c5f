"""Prints endlessly, or sends endless messages that leave nothing in the notebook.

On a busy machine, the kernel's buffer of unsent output may outgrow its memory: then it dies.
"""

# /// attack
# problems_among = ["output-limit", "time-limit", "kernel"]
# problems = "some"
# bounded = true
# [limits]
# cpu_seconds_per_cell = 3.0
# wall_seconds_per_cell = 6.0
# iopub_timeout = 1
# output_bytes_per_cell = 50_000
# [variants]
# print = "print('x' * 1000)"
# "messages of no kind" = "session.send(socket, 'nothing', {'x': 'x' * 100_000}, parent=parent)"
# "descriptor 1" = "os.write(1, b'x' * 1000)"
# display = "display('x' * 1000)"
# clear_output = "clear_output(); print('x' * 10_000)"
# ///

# %% before
import os
from IPython.display import clear_output, display
kernel = get_ipython().kernel
session, socket, parent = kernel.session, kernel.iopub_socket, kernel.get_parent()
while True:
    try:
        VARIANT
    except BaseException:
        pass
