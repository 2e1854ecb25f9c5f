"""Answers with an impossible change of an argument."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over", "the notebook stopped answering: ", "broke the protocol"]
# problems = "some"
# problems_among = ["protocol", "kernel"]
# [variants]
# "a place that does not exist" = "value(0, [[0, 10**9, [0]]])"
# "a negative place" = "value(0, [[0, -5, [0]]])"
# "a place that is none" = "value(0, [[0, 'x', [0]]])"
# "no pair" = "value(0, [[0, 0]])"
# "a number" = "value(0, [7])"
# "another type" = "value(0, [[0, 2, 'x']])"
# "another size" = "value(0, [[0, 2, [3, '<f8', [0, 1]]]]), bytes(8)"
# "a list for an array" = "value(0, [[0, 2, [0, 1, 2]]])"
# "an earlier result that there is not" = "value(0, [], [[0, 3, [0]]])"
# ///

# %% before
def server():
    def answer(question):
        if question[1] == "call" and question[3] != [0, 3]:
            frame(VARIANT)
        else:
            frame(value())
    serve(answer)
take_over(server)

# %% total
total = 10
