"""Replaces the answering module by another one."""

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
