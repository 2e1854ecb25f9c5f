"""Ends the kernel when a test calls it."""

# /// attack
# problems = ["kernel"]
# [variants]
# exit = "import os; os._exit(0)"
# abort = "import os; os.abort()"
# segfault = "import ctypes; ctypes.string_at(0)"
# killed = "import os; os.kill(os.getpid(), 9)"
# replaced = "import os; os.execv('/usr/bin/true', ['true'])"
# ///

# %% double
def double(x):
    VARIANT

# %% total
total = 10
