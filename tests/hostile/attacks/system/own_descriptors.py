"""Uses the kernel's own descriptors to leave the sandbox."""

# /// attack
# problems = []
# prints = ["many True folders 0 files 0 terminals 0 0"]
# ///

# %% before
import os, stat
count, folders, files, terminals, escapes = 0, 0, 0, 0, 0
for number in range(1000):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    count += 1
    folders += stat.S_ISDIR(mode)
    files += stat.S_ISREG(mode)
    terminals += os.isatty(number)
    try:
        os.open("..", os.O_RDONLY, dir_fd=number)
        escapes += 1
    except OSError:
        pass
print("many", count > 20, "folders", folders, "files", files, "terminals", terminals, escapes)
