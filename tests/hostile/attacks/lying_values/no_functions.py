"""Replaces a function by something else."""

# /// attack
# uses = ["liars"]
# prints_unless = {done = []}
# variants = [
#     "Equal", "Everything()", "float", "6", "lambda: 6", "{3: 6}", "property(lambda x: 2 * x)",
#     "forever", "__import__('answering.start').start._server()._answer",
# ]
# ///

# %% double
double = VARIANT

# %% after
print('d' + 'one')
