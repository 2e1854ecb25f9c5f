"""Opens as many files as allowed."""

# /// attack
# problems_among = ["kernel", "protocol", "time-limit"]
# numbers = {opened = [0, 511]}
# ///

# %% before
import os, time
print("ipykernel opens what it needs to print")  # when none is left, it waits in vain
time.sleep(1)
files = []
try:
    for _ in range(100_000):
        files.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print("opened", len(files), error)
