"""Locks parts of a file. Each lock takes memory of the system, and a file may have any number.

The calls lock nothing, and a database can still be written.
"""

# /// attack
# prints = ["nothing is locked", "read [(12,)]"]
# problems = []
# ///

# %% before
import fcntl, os, sqlite3
file = open("/tmp/locked", "w")
for place in range(2000):
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 2 * place)
if os.fork() == 0:
    try:
        fcntl.lockf(open("/tmp/locked", "w"), fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(1, b"nothing is locked")
    finally:
        os._exit(0)
os.wait()
data = sqlite3.connect("/tmp/data")
data.execute("create table numbers (number int)")
data.execute("insert into numbers values (12)")
data.commit()
print("read", sqlite3.connect("/tmp/data").execute("select * from numbers").fetchall())
