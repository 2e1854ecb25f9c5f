"""Fills the home folder; right answers still get their points."""

# /// attack
# uses = ["fill"]
# answers = "right"
# scores = "all"
# numbers = {wrote = [41, inf]}
# problems = []
# ///

# %% before
print("wrote", fill("/home/student"))
