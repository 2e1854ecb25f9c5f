"""Keeps the kernel from working without ending it.

Some variants do no harm: then a right answer counts.
"""

# /// attack
# limits = "short"
# scores = [{}, {test_total = 1.0}]
# problems_among = ["kernel", "time-limit", "protocol"]
# ///

# %% before
print("begun", flush=True)
import asyncio, os, signal, socket, sys, time
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

# %% variant of damaged connections
for number in range(3, 300):
    try:
        connection = socket.socket(fileno=os.dup(number))
        if "/run/kernel/socket" in str(connection.getsockname()):
            connection.setblocking(False)
            connection.send(b'\xff' * 1000)
            connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
time.sleep(0.5)

# %% variant without descriptors
os.closerange(0, 1000)

# %% variant of another key and session
kernel.session.key = b'mine'
kernel.session.session = "theirs"

# %% variant that ends for ever
import atexit, threading
def forever():
    while True: pass
atexit.register(forever)
threading._register_atexit(forever)
raise SystemExit
