"""Answers the first test correctly, and forges what comes later. Points that were earned stay."""

# /// attack
# uses = ["server"]
# answers = "right"
# scores = {test_double = 2.0}
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# problems_among = ["protocol", "kernel"]
# [variants]
# "a frame of 4 GB" = "ask(); raw(b'', announced=(2**32 - 1, 0))"
# "answers before they are asked for" = """for number in (6, 10, 4242, 8485):
#     last[:] = [0, 'call', FUNCTION, [0, [0]], False]
#     frame(value(number))"""
# ///

# %% before
honest = start.answer
tests = []
def sometimes():
    tests.append(1)
    return honest() if len(tests) == 1 else forge()
def server():
    VARIANT
take_over(server)
forge, start.answer = start.answer, sometimes
