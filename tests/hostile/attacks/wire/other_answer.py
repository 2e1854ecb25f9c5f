"""Answers with something other than an answer: this is reported, not a dead kernel."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems = ["protocol"]
# last_problem = "broke the protocol"
# ///

# %% before
def server():
    ask()
    frame([0, 'everything'])
    time.sleep(60)
take_over(server)

# %% total
total = 10
