"""Looks for hidden tests in IPython's history.

On stock nbgrader `In[-1]` is the test cell, hidden tests included. Here no test cell runs in the
kernel.
"""

# /// attack
# uses = ["looking"]
# looks_for = ["HIDDEN", "EXPECTED"]
# scores = {test_total = 1.0}
# numbers = {"looked at" = [50, inf]}
# prints = ["visible False"]
# ///

# %% double
import glob
def double(x):
    shell = get_ipython()
    for name in ("In", "Out", "_ih", "_oh", "_dh", "_i", "_ii", "_iii", "_", "__", "___"):
        for entry in list(shell.user_ns.get(name) or [""]):
            search(name, entry)
    manager = shell.history_manager
    for entry in [*manager.input_hist_raw, *manager.input_hist_parsed]:
        search("history", entry)
    for entry in manager.get_range(output=True):
        search("range", entry)
    try:
        for entry in manager.search("*"):
            search("file", entry)
    except Exception:
        pass
    search("last", shell.last_execution_result)
    search("parent", shell.parent_header), search("parent", shell.kernel.get_parent())
    for entry in shell.kernel.get_parent()["content"].values():
        search("request", entry)
    return 0

# %% total
total = 10

# %% after
report()
print('visible', any('of ' + '3' in entry for entry in In))
