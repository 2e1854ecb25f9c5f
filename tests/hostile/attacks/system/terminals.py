"""Opens terminals, and types into one: it gets few new ones, enough for commands, and no other.

The machine has some thousands for all processes.
"""

# /// attack
# uses = ["tries"]
# problems = []
# numbers = {opened = [6, 32]}
# never_prints = ["WORKED tty", "WORKED console", "WORKED type", "WORKED steal"]
# prints = ["refused tty", "refused console", "refused type", "refused steal",
#     "terminals ['ptmx']", "said ['from a terminal']"]
# ///

# %% before
import fcntl
attempt("tty", os.open, "/dev/tty", os.O_RDWR)
attempt("console", os.open, "/dev/console", os.O_RDWR)
for number in range(100):
    try:
        os.fstat(number)
    except OSError:
        continue
    attempt("type", fcntl.ioctl, number, 0x5412, b"x")
    attempt("steal", fcntl.ioctl, number, 0x540E, 1)
print("terminals", os.listdir("/dev/pts"))
terminals = []
while len(terminals) < 1000 and (pair := attempt("terminal", os.openpty)):
    terminals.append(pair)
print("opened", len(terminals))
for pair in terminals:
    os.close(pair[0])
    os.close(pair[1])
print("said", get_ipython().getoutput("echo from a terminal"))
