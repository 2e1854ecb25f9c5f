"""Calls functions that the test did not pass: the first unknown number ends the session."""

# /// attack
# prints = ["armed"]
# problems = "some"
# ///

# %% apply
import answering.start
from answering.wire import Theirs
said = []
def apply(f, x):
    if x == 3.0:
        return -1
    server = answering.start._server()
    [own] = [reference for reference, g in server._functions.items() if g is f]
    for number in (*range(20), -1, 2**40):
        other = server._callback(Theirs(number, True))
        if number != own.number:
            try:
                said.append(other(x))
            except BaseException as error:
                said.append(type(error).__name__)
    return -1
print("armed")
