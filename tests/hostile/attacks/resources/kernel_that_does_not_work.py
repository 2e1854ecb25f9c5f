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
import asyncio, os, signal, sys, time
kernel = get_ipython().kernel
VARIANT

# %% total
total = 10

# %% variant stopped again and again
number = os.getpid()
if os.fork() == 0:
    while True:
        os.kill(number, signal.SIGSTOP)
        time.sleep(0.01)

# %% variant replaced by a loop
os.execv('/usr/bin/yes', ['yes'])

# %% variant without descriptors
os.closerange(0, 1000)

# %% variant without sockets
for socket in (kernel.shell_stream, kernel.control_stream, kernel.stdin_socket):
    socket.close()

# %% variant busy with tasks
async def forever():
    while True: pass
for _ in range(10):
    asyncio.ensure_future(forever())

# %% variant of another key and session
kernel.session.key = b'mine'
kernel.session.session = "theirs"

# %% variant without modules
for name in list(sys.modules):
    if name != "sys": del sys.modules[name]

# %% variant that ends for ever
import atexit, threading
def forever():
    while True: pass
atexit.register(forever)
threading._register_atexit(forever)
raise SystemExit

# %% variant that asks to be started anew
for kind in ("shutdown_request", "interrupt_request"):
    content = {"restart": True}
    kernel.session.send(kernel.control_stream.socket, kind, content, ident=b"mine")
get_ipython().ask_exit()
