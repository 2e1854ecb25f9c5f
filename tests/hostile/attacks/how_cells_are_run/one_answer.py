"""Gives one answer to all questions."""

# /// attack
# uses = ["link"]
# prints_unless = {"asked [['get']" = ["protocol", "kernel"]}
# [variants]
# "a value to everything" = "value(2.0)"
# "true to everything" = "value(True)"
# "a function to everything" = "value(wire.Theirs(0, True, 'Checks'))"
# "a function that was not handed over" = "value(wire.Yours(3))"
# missing = "['values', [[]], None]"
# ended = "['ended']"
# "a callback that was not handed over" = "['callback', 10**9, [], {}]"
# raised = "['values', [], ['raised', 'f', 1]]"
# late = "['values', [], ['late']]"
# "an error" = "['values', [], ['error', 'TimeLimitReached', 'no', 'nowhere', 0]]"
# refused = "['values', [], ['refused', 'x' * 100_000]]"
# "changes of nothing" = "['values', [[6.0, [[1.0]], [2]]], None]"
# nothing = "None"
# ///

# %% before
def serve():
    while True:
        message = receive()
        asked.append(message)
        if message[0] == "end":
            send(["ended"])
            return
        send(VARIANT)
asked = []
answering.start.answer = serve

# %% after
print('asked', [message[:1] for message in asked])
