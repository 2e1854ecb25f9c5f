"""Ends the kernel."""

# /// attack
# problems = ["kernel"]
# ///

# %% before
print("begun", flush=True)
VARIANT

# %% total
total = 10

# %% variant exit
import os; os._exit(0)

# %% variant abort
import os; os.abort()

# %% variant segfault
import ctypes; ctypes.string_at(0)

# %% variant killed
import os; os.kill(os.getpid(), 9)

# %% variant replaced
import os; os.execv('/usr/bin/true', ['true'])

# %% variant deep recursion
import sys, threading
sys.setrecursionlimit(10**9)
def deep(): deep()
class Deep:
    def __getattr__(self, name): return getattr(self, name)
try: deep()
finally: import ctypes; ctypes.string_at(0)

# %% variant shut down
import threading
app = __import__("ipykernel.kernelapp").kernelapp.IPKernelApp.instance()
app.kernel.do_shutdown(False)
app.kernel.io_loop.add_callback(app.kernel.io_loop.stop)
