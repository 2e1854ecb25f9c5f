"""Answers from forked children."""

# /// attack
# uses = ["link"]
# prints = ["done"]
# ///

# %% before
for _ in range(3):
    if os.fork() == 0:
        while True:
            try:
                answering.start.answer()
            except BaseException:
                time.sleep(0.1)
print("d" + "one")
