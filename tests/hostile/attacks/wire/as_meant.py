"""Uses the link as intended.

It shows that the other attacks do not fail because of mistakes in their code. `double(3)` is 6.
"""

# /// attack
# uses = ["server"]
# scores = {test_double = 1.0, test_total = 1.0}
# problems = []
# ///

# %% before
def server():
    def answer(question):
        if question[1] == "get":
            frame(value(10 if "total" in question[2] else FUNCTION))
        else:
            frame(value(6))
    serve(answer)
take_over(server)
