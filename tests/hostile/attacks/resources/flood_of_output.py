"""Prints endlessly, in each way in which a notebook can print.

On a busy machine, the kernel's buffer of unsent output may outgrow its memory: then it dies.
"""

# /// attack
# prints = ["begun"]
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
# "descriptor 1" = "import os; os.write(1, b'x' * 1000)"
# display = "from IPython.display import display; display('x' * 1000)"
# ///

# %% before
import time
print("begun", flush=True)
time.sleep(0.3)  # or it is part of a message that is too large
while True:
    try:
        VARIANT
    except BaseException:
        pass
