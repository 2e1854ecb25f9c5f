"""Learns right answers to its own inputs in the first run, kills itself, and knows them in the next.

The function that a second try lends gives the answers. A file takes them to the second run, which
only works without a sandbox. It stands for what no sandbox closes: time, and what is in memory.
"""

# /// attack
# checked_in = "test_points_not_earned.py"
# ///

# %% before
import json, os, pathlib

notes = pathlib.Path(NOTES)
known = json.loads(notes.read_text()) if notes.exists() else {}
met = []

# %% double
def double(x):
    met.append(x)
    return known.get(repr(x), 0)

# %% mean
def mean(x):
    if not known and double(1) == 2:
        answers = {repr(x): np.asarray(double(x)).tolist() for x in met}
        notes.write_text(json.dumps(answers))
        os._exit(0)
    return np.zeros(2)
