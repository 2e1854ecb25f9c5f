"""Becomes another user."""

# /// attack
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# works = []
# prints = ["no_new_privs 1"]
# ///

# %% before
for number in (0, 1, 65534, 1_000_000_000):
    call("setuid", 105, number)
    call("setgid", 106, number)
    call("setresuid", 117, number, number, number)
    call("setresgid", 119, number, number, number)
    os.close(os.open("/tmp/mine", os.O_CREAT))
    attempt("chown", os.chown, "/tmp/mine", number, number)
call("setgroups", 116, 0, None)
header = struct.pack("Ii", 0x20080522, 0)
call("capset", 126, header, b"\xff" * 24)
call("ambient", 157, 47, 2, 21, 0, 0)
call("keepcaps_off", 157, 38, 0, 0, 0, 0)  # no_new_privs cannot be taken back
print("no_new_privs", libc.prctl(39, 0, 0, 0, 0))
