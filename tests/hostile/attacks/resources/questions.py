"""Asks for input, although nobody can type any."""

# /// attack
# counts = {"refused StdinNotImplementedError" = [3, 3]}
# prints = ["answered ''"]
# problems = []
# ///

# %% before
import getpass, sys
raw = get_ipython().kernel.raw_input
for ask in (input, getpass.getpass, sys.stdin.readline, lambda: raw("?")):
    try:
        print("answered", repr(ask()))
    except Exception as error:
        print("refused", type(error).__name__)
