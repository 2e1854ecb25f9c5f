"""Asks the grader for expected values."""

# /// attack
# prints = ["armed"]
# never_prints = ["heard"]
# problems = "some"
# ///

# %% double
import answering.start, answering.wire as wire, msgpack, os, select, struct
link, heard = answering.start._link, []
def ask(*message):
    for piece in wire.pack(list(message), lambda *_: None, limited=True):
        link.sendall(piece)
def double(x):
    link.setblocking(True)
    ask(*questions.pop())
    if select.select([link], [], [], 1.0)[0]:
        heard.append(link.recv(1 << 16))
        print("heard", heard)
    with open("/run/kernel/heard", "ab") as file:
        file.write(repr(heard).encode())
    return 0
questions = [["get", "expected"]] * 9
print("armed")
