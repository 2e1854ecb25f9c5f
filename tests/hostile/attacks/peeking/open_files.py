"""Looks for secrets in open files."""

# /// attack
# checked_in = "test_peeking.py"
# uses = ["looking"]
# looks_for = ["SECRETS"]
# numbers = {"looked at" = [1, inf]}
# ///

# %% before
kinds = {}
for number in range(1024):
    try:
        status = os.fstat(number)
    except OSError:
        continue
    mode = status.st_mode
    tests = (
        ("socket", stat.S_ISSOCK), ("pipe", stat.S_ISFIFO), ("device", stat.S_ISCHR),
        ("file", stat.S_ISREG), ("folder", stat.S_ISDIR), ("disk", stat.S_ISBLK))
    kind = next((name for name, test in tests if test(mode)), "none")
    if kind == "device":
        kind = f"device {os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    if kind == "socket":
        try:
            peer = socket.socket(fileno=os.dup(number))
            kind += f" {peer.family.name}"
            search("socket", peer.getsockname())
            search("peer", peer.getpeername())
        except OSError:
            pass
    if kind == "folder":
        for name in ("..", "../..", "../../.."):
            try:
                search("folder", os.listdir(os.open(name, os.O_RDONLY, dir_fd=number)))
            except OSError:
                pass
    kinds[kind] = kinds.get(kind, 0) + 1
print("kinds", kinds)
looked[0] += 1
report()
