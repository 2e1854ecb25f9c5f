"""Calls the test's function from forked children."""

# /// attack
# prints = ["said [b'RuntimeError', b'RuntimeError']"]
# ///

# %% apply
import os
said = []
def apply(f, x):
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            text = str(f(x))
        except BaseException as error:
            text = type(error).__name__
        os.write(write, text.encode())
        os._exit(0)
    said.append(os.read(read, 100))
    return -1

# %% after
print('said', said[-2:])
