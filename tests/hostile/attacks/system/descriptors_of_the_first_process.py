"""Takes the descriptors of the sandbox's first process."""

# /// attack
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# prints = ["tried True folders False files False"]
# ///

# %% before
import stat
process = libc.syscall(434, 1, 0)
kinds = set()
for number in range(200):
    taken = libc.syscall(438, process, number, 0)
    if taken >= 0:
        kinds.add(stat.S_IFMT(os.fstat(taken).st_mode))
print("tried", process >= 0, "folders", stat.S_IFDIR in kinds, "files", stat.S_IFREG in kinds)
