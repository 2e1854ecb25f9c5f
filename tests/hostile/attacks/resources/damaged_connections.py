"""Damages the connections between the kernel and the grader."""

# /// attack
# limits = "short"
# scores = [{}, {test_total = 1.0}]
# problems_among = ["kernel", "time-limit", "protocol"]
# [variants]
# garbage = '''connection.send(b'\xff' * 1000)'''
# "an end" = "connection.shutdown(socket.SHUT_RDWR)"
# ///

# %% before
print("begun", flush=True)

import os, socket, time
count = 0
for number in range(3, 300):
    try:
        connection = socket.socket(fileno=os.dup(number))
        if "/run/kernel/socket" in str(connection.getsockname()):
            connection.setblocking(False)
            VARIANT
            count += 1
    except OSError:
        pass
print("connections", count)
time.sleep(0.5)

# %% total
total = 10
