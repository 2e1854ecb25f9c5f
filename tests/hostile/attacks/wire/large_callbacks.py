"""Calls back for ever, with 32 MB."""

# /// attack
# uses = ["server"]
# prints = ["taken over"]
# problems = "some"
# problems_among = ["protocol", "kernel", "time-limit"]
# bounded = true
# [limits]
# wall_seconds_per_cell = 12.0
# iopub_timeout = 1
# cpu_seconds_per_cell = 8.0
# memory_mb = 2500
# ///

# %% before
def server():
    body = bytes(32 << 20)
    def answer(question):
        if question[1] != "call" or "apply" not in asked:
            asked.append(question[2])
            frame(value())
            return
        while True:
            frame([0, "callback", 0, [0, [3, "<f8", [0, 4 << 20]]], [2]], body)
            ask()
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
