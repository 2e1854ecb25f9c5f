"""Puts another module in the place of the one that answers."""

# /// attack
# prints = ["armed"]
# ///

# %% before
import sys, types
fake = types.ModuleType("answering")
fake.start = types.ModuleType("answering.start")
asked = []
fake.start.answer = lambda: asked.append(1)
sys.modules["answering"] = fake
sys.modules["answering.start"] = fake.start
print("armed")
