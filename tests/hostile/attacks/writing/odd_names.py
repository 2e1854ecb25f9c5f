"""Makes folders of odd names."""

# /// attack
# uses = ["tries"]
# problems = []
# prints = ["made 20", "deep"]
# ///

# %% before
names = [b"..", b".", b"", b"a/../../../../etc", b"\0", b"new\nline", b"x" * 255, b"x" * 256,
         b"\xff\xfe\x80", b"-rf", b"*", b"$(id)", b"`id`", b" ", b"\x1b[2J", b"\xe2\x80\xae"]
made = 0
for folder in (b"/home/student/", b"/tmp/"):
    for name in names:
        try:
            os.mkdir(folder + name)
            made += 1
        except (OSError, ValueError):
            pass
print("made", made)
os.chdir(b"/home/student/\xff\xfe\x80")
path = "/tmp/" + "x" * 255
for _ in range(30):  # longer than any path may be
    os.chdir("/tmp/" if path is None else path)
    os.mkdir("y" * 255)
    path = "y" * 255
print("deep")
