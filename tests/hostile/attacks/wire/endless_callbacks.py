"""Calls back for ever: faster than is read, or without reading what comes back."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 12.0, iopub_timeout = 1, cpu_seconds_per_cell = 2.0}
# prints = ["taken over"]
# problems = "some"
# problems_among = ["protocol", "kernel", "time-limit"]
# bounded = true
# [variants]
# reading = "True"
# "without reading" = "False"
# ///

# %% before
def server():
    def answer(question):
        if question[1] != "call" or "apply" not in asked:
            asked.append(question[2])
            frame(value())
            return
        while True:
            try:
                frame([0, "callback", 0, [0, 1.0], [2]])
                if VARIANT:
                    ask()
            except Exception:
                pass
    asked = []
    serve(answer)
take_over(server)

# %% test_apply
def again(g):
    return g(again)
checks = Checks("apply", points=2)
with checks("again and again", points=2):
    assert_close(apply(again, 1.0), 4242.0)
checks.score()
