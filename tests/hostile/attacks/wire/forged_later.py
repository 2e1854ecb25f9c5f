"""Answers the first test correctly, and then forges answers.

Points that were earned stay; the rest of the notebook scores nothing.
"""

# /// attack
# uses = ["server"]
# answers = "right"
# scores = {test_double = 2.0}
# problems_among = ["protocol", "kernel"]
# ///

# %% before
honest = start.answer
tests = []
def sometimes():
    tests.append(1)
    if len(tests) == 1:
        return honest()
    link.setblocking(True)
    ask()
    raw(b"", announced=(2**32 - 1, 0))
start.answer = sometimes
