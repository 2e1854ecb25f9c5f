"""Uses memory and queues that processes share.

These are of System V and POSIX, made outside of the sandbox under known names.
"""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# works = []
# prints = ["found []"]
# ///

# %% before
call("segment", 29, KEY, 4096, 0)
call("attach", 30, SEGMENT, None, 0)
call("remove", 31, SEGMENT, 0, None)
call("queue", 68, KEY, 0)
call("message", 70, QUEUE, buffer, 100, 0, 0o4000)
call("semaphores", 64, KEY, 0, 0)
call("mq_open", 240, b"hw", 0o102, 0o666, None)
print("found", os.listdir("/dev/shm"))
