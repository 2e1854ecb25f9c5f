"""Fills the home folder: right answers get their points all the same."""

# /// attack
# uses = ["fill"]
# answers = "right"
# scores = "all"
# numbers = {wrote = [41, inf]}
# problems = []
# ///

# %% before
print("wrote", fill("/home/student"))
