"""Replaces the link to the grader by another one."""

# /// attack
# uses = ["link"]
# answers = "right"
# prints = ["done"]
# ///

# %% before
ours, theirs = socket.socketpair()
os.dup2(theirs.fileno(), link.fileno())  # the grader is not asked: the student is
print("d" + "one")
