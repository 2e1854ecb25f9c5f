"""Calls back in callbacks, 10,000 deep."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 12.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel", "time-limit"]
# bounded = true
# ///

# %% before
def server():
    def answer(question):
        if question[1] != "call" or "apply" not in asked:
            asked.append(question[2])
            frame(value())
            return
        for _ in range(10_000):
            frame([0, "callback", 0, [0, FUNCTION], [2]])
            ask()
        frame(value(0.0))
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
