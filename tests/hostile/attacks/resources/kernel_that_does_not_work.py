"""Keeps the kernel from working without ending it.

Some variants do no harm: then a right answer counts.
"""

# /// attack
# checked_in = "test_resources.py"
# limits = "short"
# scores = [{}, {test_total = 1.0}]
# problems_among = ["kernel", "time-limit", "protocol"]
# ///

# %% before
print("begun", flush=True)
VARIANT

# %% total
total = 10

# %% variant stopped
import os, signal; os.kill(os.getpid(), signal.SIGSTOP)

# %% variant replaced by a sleep
import os; os.execv('/usr/bin/sleep', ['sleep', '1000'])

# %% variant replaced by a loop
import os; os.execv('/usr/bin/yes', ['yes'])

# %% variant stopped again and again
import os, signal, time
kernel = os.getpid()
if os.fork() == 0:
    while True:
        os.kill(kernel, signal.SIGSTOP)
        time.sleep(0.01)

# %% variant without descriptors
import os; os.closerange(0, 1000)

# %% variant without sockets
import zmq
kernel = get_ipython().kernel
for socket in (kernel.shell_stream, kernel.control_stream, kernel.stdin_socket):
    socket.close()

# %% variant without files
import os
for n in os.listdir('/run/kernel'): os.unlink('/run/kernel/' + n)

# %% variant busy with tasks
import asyncio
async def forever():
    while True: pass
for _ in range(10):
    asyncio.ensure_future(forever())

# %% variant busy with waiting tasks
import asyncio; await asyncio.sleep(1000)

# %% variant of another key
get_ipython().kernel.session.key = b'mine'

# %% variant of another session
session = get_ipython().kernel.session
session.session = "theirs"
session.send = lambda *a, **k: None

# %% variant without an event loop
import asyncio; asyncio.get_event_loop().stop()

# %% variant without modules
import sys
for name in list(sys.modules):
    if name != "sys": del sys.modules[name]

# %% variant that collects rubbish for ever
class Endless:
    def __del__(self):
        while True: pass
thing = Endless()
del thing

# %% variant that ends for ever
import atexit, sys, threading
def forever():
    while True: pass
atexit.register(forever)
threading._register_atexit(forever)
raise SystemExit

# %% variant that asks to be started anew
kernel = get_ipython().kernel
for kind in ("shutdown_request", "interrupt_request"):
    content = {"restart": True}
    kernel.session.send(kernel.control_stream.socket, kind, content, ident=b"mine")
get_ipython().run_cell("exit()")
get_ipython().ask_exit()
