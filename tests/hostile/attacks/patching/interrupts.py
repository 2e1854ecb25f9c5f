"""Ignores interrupts."""

# /// attack
# prints = ["armed"]
# problems_one_of = ["time-limit", "protocol"]
# ///

# %% double
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.default_int_handler = lambda *a: None
def double(x):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
print("armed")
