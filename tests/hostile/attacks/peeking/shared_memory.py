"""Looks for shared memory that another student left."""

# /// attack
# checked_in = "test_peeking.py"
# uses = ["looking"]
# looks_for = ["CANARY", "left", "for the next"]
# numbers = {"looked at" = [5, inf]}
# prints = ["there []"]
# ///

# %% before
libc = ctypes.CDLL(None, use_errno=True)
there = []
for name, get in (("memory", lambda: libc.shmget(4321, 0, 0)),
                  ("semaphores", lambda: libc.semget(4321, 0, 0)),
                  ("queue", lambda: libc.msgget(4321, 0))):
    looked[0] += 1
    if get() >= 0:
        there.append(name)
for number in range(2000):
    status = ctypes.create_string_buffer(500)
    if libc.shmctl(number, 13, status) >= 0:
        there.append(number)
for folder in ("/dev/shm", "/tmp", "/home/student", "/dev/mqueue", "/run/kernel"):
    search(folder, os.listdir(folder) if os.path.exists(folder) else "")
report()
print("there", there)
