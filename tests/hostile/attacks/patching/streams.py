"""Closes and replaces the streams."""

# /// attack
# prints = ["armed"]
# ///

# %% before
import io, os, sys
print("armed")
class Stream(io.TextIOBase):
    def write(self, text):
        raise SystemExit("no")
sys.stdout.flush()
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Stream()
for number in (0, 1, 2):
    os.close(number)
