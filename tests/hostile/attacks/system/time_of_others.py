"""Takes time from other submissions that no process is charged with.

It moves to all cores of the machine, makes timers that the system serves while it sleeps, and lets
the machine write all files.
"""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# works = ["moves", "writes_all", "writes_all_of_one"]
# refused = ["timer"]
# ///

# %% before
before = os.sched_getaffinity(0)
others = [{core} for core in range(os.cpu_count())]
elsewhere = next((cores for cores in others if cores != before), before)
attempt("moves", os.sched_setaffinity, 0, elsewhere)
print("stayed" if os.sched_getaffinity(0) == before else "moved", flush=True)
call("timer", 222, 1, None, buffer)
call("writes_all", 162)
call("writes_all_of_one", 306, -1)
