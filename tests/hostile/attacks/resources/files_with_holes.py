"""Makes files that are too large, with holes or without."""

# /// attack
# numbers = {refused = [18, 18]}
# problems = []
# ///

# %% before
import os, signal
refused = 0
for folder in ("/tmp", "/dev/shm", "/home/student"):
    for size in (10 << 30, 2**62, 21 << 20):
        try:
            with open(folder + "/hole", "wb") as file:
                os.truncate(file.fileno(), size)
        except OSError:
            refused += 1
        try:
            with open(folder + "/hole", "wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            refused += 1
        os.unlink(folder + "/hole")
print("refused", refused)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
