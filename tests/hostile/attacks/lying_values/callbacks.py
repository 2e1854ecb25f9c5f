"""Calls the test's function in ways in which no answer calls it."""

# /// attack
# uses = ["liars"]
# limits = {cpu_seconds_per_cell = 20.0, wall_seconds_per_cell = 40.0}
# prints_unless_problems = ["said ["]
# never_prints = ["4242.0"]
# ///

# %% before
import os, threading
said = []
def ask(f, *arguments, **named):
    try:
        said.append(type(f(*arguments, **named)).__name__)
    except BaseException as error:
        said.append(type(error).__name__)

# %% apply
def apply(f, x):
    VARIANT
    return -1

# %% after
print('said', sorted(set(said)) or [''])

# %% variant from threads that never stop
def forever():
    while True:
        ask(f, x)
for _ in range(5):
    threading.Thread(target=forever, daemon=True).start()

# %% variant from children that return instead of their parent
for _ in range(3):
    os.fork()
ask(f, x)

# %% variant with other numbers
import answering.serve, gc
from answering.wire import Theirs
[server] = [one for one in gc.get_objects() if type(one) is answering.serve.Server]
for number in (*range(20), -1, 2**40) if x != 3.0 else ():
    ask(server._callback(Theirs(number, True)), x)

# %% variant with odd arguments
for thing in (Equal(), Endless(), None, 10**9000, cyclic(), np.broadcast_to(1.0, 10**12), f, {f: f}):
    ask(f, thing)
    ask(f, x=thing)
