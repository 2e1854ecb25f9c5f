"""Watches descriptors. The system allows all processes of a user together a number of watches.

Where an ordinary user grades, the grader and other submissions would have none left.
"""

# /// attack
# problems = ["memory-limit"]
# numbers = {watched = [1000, 1_000_000]}
# ///

# %% before
import os, select, time
def watch():
    "As many as one process can."
    there = [os.eventfd(0)]
    pools, count = [], 0
    try:
        while len(there) < 240:
            there.append(os.dup(there[0]))
        while True:
            pools.append(select.epoll())
            for each in there:
                pools[-1].register(each)
                count += 1
    except OSError as error:
        return pools, count, error.errno
watched = 0
for _ in range(45):
    read, write = os.pipe()
    if os.fork() == 0:
        pools, count, why = watch()
        os.write(write, f"{count} {why}".encode())
        time.sleep(1000)
    said = os.read(read, 100).decode()
    os.close(read)
    os.close(write)
    watched += int(said.split()[0])
    print("watched", watched, said, flush=True)
time.sleep(3)
