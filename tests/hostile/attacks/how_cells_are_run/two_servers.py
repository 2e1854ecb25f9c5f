"""Answers from two threads at once."""

# /// attack
# uses = ["link"]
# prints = ["done"]
# ///

# %% before
def again():
    while True:
        try:
            answering.start.answer()
        except BaseException as error:
            pass
threading.Thread(target=again, daemon=True).start()
time.sleep(0.1)
print("d" + "one")
