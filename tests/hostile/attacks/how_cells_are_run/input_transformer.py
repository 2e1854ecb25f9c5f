"""Empties every cell before it is run.

On stock nbgrader this gets full marks.
"""

# /// attack
# smoke = true
# ///

# %% before
def empty(lines):
    return ["pass\n"]
get_ipython().input_transformers_post.append(empty)
