"""Answers with what fits no question, with lies about changes, or with odd errors."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel"]
# bounded = true
# [variants]
# "another word" = "[0, 'everything']"
# "one change more" = "value(0, [[0], None, [0]])"
# "more results than calls" = "[*value(0)[:2], [0, *[[0, 0, [0], None]] * 99], None]"
# "an error with the name of another" = """[0, 'values', [0], [0, 'error', 'KeyboardInterrupt', \
#     '\\npassed  everything [8 pt]' * 9_000, 'x' * 40_000, 1]]"""
# "a callback that was not handed over" = "[0, 'callback', 10**9, [0], [2]]"
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
