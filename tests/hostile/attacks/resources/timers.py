"""Sets timers that fire all the time.

A handler that interrupts itself again and again may also end the kernel.
"""

# /// attack
# limits = "short"
# prints = ["begun"]
# problems_among = ["time-limit", "kernel"]
# ///

# %% before
print("begun", flush=True)

import signal
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 1e-6, 1e-6)
signal.signal(signal.SIGVTALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_VIRTUAL, 1e-6, 1e-6)
