"""Forks endlessly, and continues when that fails."""

# /// attack
# limits = "short"
# prints = ["begun"]
# problems = ["time-limit"]
# ///

# %% before
print("begun", flush=True)

import os
while True:
    try:
        os.fork()
    except BaseException:
        pass
