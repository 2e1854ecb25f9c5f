"""Notes the inputs of the first run, kills its kernel, and has right answers to them in the next.

A file takes them to the second run, which only works without a sandbox, and in a kernel that does
not shut in its tests. It stands for what no sandbox closes: time, and what is in memory.
"""

# /// attack
# checked_in = "test_points_not_earned.py"
# ///

# %% before
import answering.isolation, os, pathlib

answering.isolation.shut_in = lambda *_: None
notes = pathlib.Path(NOTES)
known = notes.read_text().splitlines() if notes.exists() else []

# %% double
def double(x):
    if not known:
        with notes.open("a") as file:
            print(repr(x), file=file)
    return 2 * x if repr(x) in known else 0

# %% mean
if not known:
    os._exit(0)
