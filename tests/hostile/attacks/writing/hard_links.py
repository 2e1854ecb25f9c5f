"""Makes hard links of the grader's files beside the sockets."""

# /// attack
# checked_in = "test_writing.py"
# uses = ["tries"]
# ///

# %% before
for path in ("/opt/homework/answering/start.py", "/usr/bin/env", "/run/kernel/grader.json"):
    attempt("link", os.link, path, "/run/kernel/linked")
attempt("read_key", open, "/run/kernel/grader.json")
attempt("write_key", open, "/run/kernel/grader.json", "a")
