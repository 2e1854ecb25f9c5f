"""Asks right functions in a second try for what a later answer should show.

`mean` is wrong, so it runs again, with the right `double` in the place of the notebook's own, which
is wrong too. What it learns is meant for the answer `total`, which is 10.
"""

# /// attack
# prints = ["looked"]
# ///

# %% before
import contextlib, os
kept = []
def keep(value):
    kept.append(value)
    with contextlib.suppress(OSError), open("/tmp/kept", "w") as file:
        file.write(str(value))
def known():
    if os.path.exists("/tmp/kept"):
        return int(open("/tmp/kept").read())
    return kept[-1] if kept else -1
VARIANT

# %% mean
def mean(x):
    if double(5) == 10:
        keep(10)
    return np.zeros(2)

# %% total
total = known()
print("looked")

# %% variant as is
pass

# %% variant in a test that is not shut in
import answering.isolation
answering.isolation.shut_in = lambda *_: None

# %% variant in a kernel that forks no child
import answering.children, answering.serve, socket, threading
def fork(program, is_left_alone):
    stream = socket.socket(fileno=os.dup(program.args[0].fileno()))
    server = answering.serve.Server(stream, globals())
    threading.Thread(target=server.serve, daemon=True).start()
    return 0
answering.children._fork = fork
