"""Stops the kernel by tracing it from a child."""

# /// attack
# uses = ["tries", "tracing"]
# limits = {wall_seconds_per_cell = 1.0, iopub_timeout = 1}
# machine = "x86_64"
# prints = ["begun"]
# problems = ["time-limit"]
# ///

# %% before
kernel = os.getpid()
libc.prctl(0x59616d61, -1, 0, 0, 0)  # lets anybody trace it, where that needs leave
print("begun", flush=True)
if os.fork() == 0:
    libc.ptrace(SEIZE, kernel, None, None)
    libc.ptrace(INTERRUPT, kernel, None, None)
    time.sleep(1000)
time.sleep(1000)
