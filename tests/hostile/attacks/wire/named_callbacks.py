"""Calls back with names that are none, or too many."""

# /// attack
# checked_in = "test_wire_attacks.py"
# uses = ["server"]
# limits = {wall_seconds_per_cell = 12.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel"]
# variants = [
#     "[2, 1, 2]", "[2, 'self', 1, 'g', 2]", "[2, *[w for n in range(99) for w in (str(n), n)]]",
# ]
# ///

# %% before
def server():
    def answer(question):
        if question[1] == "call" and "apply" in asked:
            frame([0, "callback", 0, [0], VARIANT])
            ask()
            frame(value(0.0))
        else:
            asked.append(question[2])
            frame(value())
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
