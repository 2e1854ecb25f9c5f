"""Looks for the seed of hidden inputs."""

# /// attack
# uses = ["looking"]
# looks_for = ["SEED", "HW_GRADING_SEED"]
# scores = {test_total = 1.0}
# numbers = {"looked at" = [50, inf]}
# ///

# %% double
import random
def double(x):
    for name, value in os.environ.items():
        search(name, name + value)
    for state in (np.random.get_state(), random.getstate()):
        search("state", list(map(str, state)))
    packed = struct.pack("<I", 0)
    for name, value in {**get_ipython().user_ns}.items():
        if name not in ("backwards", "found"):
            search(name, repr(value)[:10_000])
    return 0

# %% total
total = 10

# %% after
report()
