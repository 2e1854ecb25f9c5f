"""Links to the course from the working folder."""

# /// attack
# checked_in = "test_writing.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = ["write", "read", "folder", "root"]
# ///

# %% before
for number, name in enumerate(("gradebook.db", "source/hw2/hw2.ipynb", "nbgrader_config.py")):
    os.symlink(COURSE + "/" + name, str(number))
    attempt("write", open, str(number), "w")
    attempt("read", open, str(number))
os.symlink(COURSE, "course")
attempt("folder", os.listdir, "course")
os.symlink("/proc/self/root", "root")
attempt("root", os.listdir, "root")
