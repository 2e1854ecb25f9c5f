"""Writes to the course, and links to it from the working folder."""

# /// attack
# checked_in = "test_attacks.py"
# uses = ["tries"]
# problems = []
# never_prints = ["WORKED"]
# prints = ["refused write ", "refused write_there", "refused make", "refused read",
#     "refused folder", "refused root"]
# ///

# %% before
for number, name in enumerate(("gradebook.db", "source/hw2/hw2.ipynb", "nbgrader_config.py")):
    os.symlink(COURSE + "/" + name, str(number))
    attempt("write", open, str(number), "w")
    attempt("read", open, str(number))
    for path in (COURSE + "/" + name, "../../../" + name, "../" * 30 + COURSE + "/" + name):
        attempt("write_there", open, path, "a")
        attempt("make", os.symlink, "/tmp", path)
os.symlink(COURSE, "course")
attempt("folder", os.listdir, "course")
os.symlink("/proc/self/root", "root")
attempt("root", os.listdir, "root")
