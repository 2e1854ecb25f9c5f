"""Writes to the course by its real paths."""

# /// attack
# checked_in = "test_writing.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = 5
# ///

# %% before
import sqlite3
for name in ("gradebook.db", "source/hw2/hw2.ipynb", f"autograded/{STUDENT}/hw2/hw2.ipynb"):
    real = COURSE + "/" + name
    for path in (real, "../../../" + name, "../" * 30 + real):
        attempt("write", open, path, "w")
        attempt("append", open, path, "a")
        attempt("link", os.symlink, "/tmp", path)
        attempt("rename", os.rename, "/tmp", path)
        attempt("database", lambda: sqlite3.connect(path).execute("create table grade (x)"))
