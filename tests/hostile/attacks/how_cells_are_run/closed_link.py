"""Closes the link to the grader."""

# /// attack
# uses = ["link"]
# answers = "right"
# prints = ["done"]
# variants = [
#     "os.close(link.fileno())",
#     "link.shutdown(2)",
#     "link.close()",
# ]
# ///

# %% before
VARIANT
print('d' + 'one')
