"""Replaces a function by something else."""

# /// attack
# uses = ["liars"]
# prints_unless_problems = ["done"]
# variants = ["Equal", "forever", "__import__('answering.start').start._server()._answer"]
# ///

# %% double
double = VARIANT

# %% after
print('d' + 'one')
