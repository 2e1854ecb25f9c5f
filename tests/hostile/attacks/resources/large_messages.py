"""Sends 1 GB of messages faster than they are read, directly on the kernel's sockets."""

# /// attack
# limits = {cpu_seconds_per_cell = 10.0, iopub_timeout = 1, memory_mb = 3000}
# problems_among = ["kernel", "output-limit", "time-limit", "memory-limit"]
# bounded = true
# ///

# %% before
import time, zmq
kernel = get_ipython().kernel
parent = kernel.get_parent()
ident = parent["header"]["session"].encode()
iopub = kernel.iopub_socket.io_thread.socket
def message(kind):
    content = {"data": {"x": "y" * 10_000_000}, "comm_id": "mine", "name": "stdout", "text": "y"}
    return kernel.session.serialize(kernel.session.msg(kind, content, parent=parent), ident)
sent = 0
def send(socket, parts, **options):
    global sent
    socket.send_multipart(parts, copy=False, **options)
    sent += 10
print("begun", flush=True)
time.sleep(0.2)
VARIANT
time.sleep(1)
print('sent', sent)

# %% variant requests for input
for _ in range(100):
    send(kernel.stdin_socket, [ident, b"<IDS|MSG>", b"", b"y" * 10_000_000])

# %% variant one message of a hundred parts
part = b"y" * 10_000_000
for _ in range(100):
    iopub.send(part, zmq.SNDMORE, copy=False)
    sent += 10
iopub.send(b"")
