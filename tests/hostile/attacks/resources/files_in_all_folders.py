"""Fills all folders that it can write to."""

# /// attack
# uses = ["fill"]
# counts = {"No space left" = [3, 3]}
# numbers = {wrote = [101, 150]}
# problems = []
# ///

# %% before
print("wrote", sum(map(fill, ["/tmp", "/dev/shm", "/home/student"])))
