"""Answers with errors of odd names and long texts."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 20.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel"]
# bounded = true
# [variants]
# "no name" = '""'
# __class__ = '"__class__"'
# "a long name" = '"x" * 500_000'
# KeyboardInterrupt = '"KeyboardInterrupt"'
# ///

# %% before
def server():
    text = '\n' + 'passed  everything [8 pt]\n' * 40_000
    def answer(question):
        if question[1] == "get":
            frame(value())
        else:
            error = [0, "error", VARIANT, text[:500_000], text[:40_000], 1]
            frame([0, "values", [0], error])
    serve(answer)
take_over(server)

# %% total
total = 10
