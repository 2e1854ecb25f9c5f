"""Forges results inside a tested function.

On stock nbgrader this gets points.
"""

# /// attack
# uses = ["forge"]
# shows = {double = ["1.0"]}
# ///

# %% double
def double(x):
    forge("execute_result", {"data": {"text/plain": "1.0"}, "metadata": {}, "execution_count": 1})
    forge("status", {"execution_state": "idle"})
    return 0 * x
double(1)
