"""Types into a terminal."""

# /// attack
# uses = ["tries"]
# problems = []
# never_prints = ["WORKED"]
# prints = ["refused tty", "refused console", "refused type", "refused steal",
#     "terminals ['ptmx']"]
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
