"""Stops or kills the sandbox's first process by tracing it."""

# /// attack
# uses = ["tries", "tracing"]
# limits = {iopub_timeout = 1}
# machine = "x86_64"
# prints = ["begun"]
# problems_among = ["kernel"]
# ///

# %% before
print("begun", flush=True)
time.sleep(0.3)
if os.fork() == 0:
    libc.ptrace(SEIZE, 1, None, 0x100000)  # which kills it when the tracer ends
    libc.ptrace(INTERRUPT, 1, None, None)
    time.sleep(0.3)
    os._exit(0)
time.sleep(1.5)
