"""Asks for input, although nobody can type any."""

# /// attack
# prints = ["answered ''", "refused ['StdinNotImplementedError'] 3"]
# problems = []
# ///

# %% before
import getpass, sys
raw = get_ipython().kernel.raw_input
refused = []
for ask in (input, getpass.getpass, sys.stdin.readline, lambda: raw("?")):
    try:
        print("answered", repr(ask()))
    except Exception as error:
        refused.append(type(error).__name__)
print("refused", sorted(set(refused)), len(refused))
