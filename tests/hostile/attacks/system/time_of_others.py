"""Moves to other cores, where it would take time from other submissions."""

# /// attack
# uses = ["tries"]
# problems = []
# prints = ["WORKED moves", "stayed"]
# ///

# %% before
before = os.sched_getaffinity(0)
others = [{core} for core in range(os.cpu_count())]
elsewhere = next((cores for cores in others if cores != before), before)
attempt("moves", os.sched_setaffinity, 0, elsewhere)
print("stayed" if os.sched_getaffinity(0) == before else "moved", flush=True)
