"""Replaces functions that the answering module uses."""

# /// attack
# prints = ["armed"]
# [variants]
# msgpack = "msgpack.packb = lambda value, **k: before(['value', 2.0, [], []])"
# "msgpack unpacking" = "msgpack.unpackb = lambda data, **k: [0, 'end']"
# socket = "socket.socket.send = lambda self, data: len(data)"
# select = "select.select = lambda *a: ([], [], [])"
# wire = '''wire.pack = lambda *a: [struct.pack('>II', 1, 0) + b'\x02']'''
# "numpy arrays" = "wire.is_plain = lambda *a: True"
# ///

# %% before
import select, socket, struct
import msgpack
import answering.wire as wire
before = msgpack.packb
VARIANT
print("armed")
