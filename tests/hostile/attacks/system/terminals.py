"""Opens terminals: it gets few, enough for commands.

The machine has some thousands for all processes.
"""

# /// attack
# uses = ["tries"]
# problems = []
# numbers = {opened = [6, 32]}
# prints = ["said ['from a terminal']"]
# ///

# %% before
terminals = []
while len(terminals) < 1000 and (pair := attempt("terminal", os.openpty)):
    terminals.append(pair)
print("opened", len(terminals))
for pair in terminals:
    os.close(pair[0])
    os.close(pair[1])
print("said", get_ipython().getoutput("echo from a terminal"))
