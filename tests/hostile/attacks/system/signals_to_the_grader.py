"""Looks for the grader, to signal it and to limit it."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# prints = ["parent 1", "peer (0,", "refused limits"]
# ///

# %% before
print("parent", os.getppid(), "session", os.getsid(0), "group", os.getpgrp())
for pid in (os.getppid(), GRADER, BYSTANDER):
    call("pidfd", 434, pid, 0)
attempt("limits", __import__("resource").prlimit, GRADER, 7, (1, 1))
attempt("owner", __import__("fcntl").fcntl, 0, 8, GRADER)  # F_SETOWN: SIGIO for the grader
link = __import__("answering.start").start._link
print("peer", struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)))
