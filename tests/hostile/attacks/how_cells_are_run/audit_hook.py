"""Stops the kernel's work by an audit hook, which cannot be removed."""

# /// attack
# prints = ["armed"]
# ///

# %% before
import sys
armed = []
def hook(event, arguments):
    if armed and event in ("compile", "exec", "import", "object.__getattr__"):
        raise SystemExit("no " + event)
sys.addaudithook(hook)
print("armed")
armed.append(1)
