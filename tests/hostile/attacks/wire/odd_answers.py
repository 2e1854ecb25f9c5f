"""Answers with what fits no question, with lies about changes, or with odd errors."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel"]
# bounded = true
# [variants]
# "one change more" = "value(0, [[0], None, [0]])"
# "an error with the name of another" = """[0, 'values', [0], [0, 'error', 'KeyboardInterrupt', \
#     '\\npassed  everything [8 pt]' * 9_000, 'x' * 40_000, 1]]"""
# ///

# %% before
def server():
    def answer(question):
        if question[1] == "call":
            given = VARIANT
            frame(*given) if type(given) is tuple else frame(given)
        else:
            frame(value())
    serve(answer)
take_over(server)
