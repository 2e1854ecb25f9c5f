"""Answers with changes, or numbers of results, that are none."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over", "the notebook stopped answering: ", "broke the protocol"]
# problems = "some"
# problems_among = ["protocol", "kernel"]
# [variants]
# "no list" = "value(0, [7, None])"
# "no earlier result" = "value(0, [[0]])"
# "one more" = "value(0, [[0], None, [0]])"
# "more results than calls" = "[*value(0)[:2], [0, *[[0, 0, [0], None]] * 99], None]"
# "no result" = "[*value(0)[:2], [0], None]"
# ///

# %% before
def server():
    def answer(question):
        if question[1] == "call" and question[4]:
            frame(VARIANT)
        else:
            frame(value())
    serve(answer)
take_over(server)

# %% total
total = 10
