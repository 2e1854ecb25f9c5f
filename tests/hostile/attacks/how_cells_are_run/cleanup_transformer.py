"""Replaces the tests that are run by others.

On stock nbgrader this gets full marks.
"""

# /// attack
# prints = ["changed"]
# never_prints = ["changed 0"]
# ///

# %% before
changed = []
def generous(lines):
    text = "".join(lines)
    if "checks" in text or "assert" in text:
        changed.append(text)
        return ["1.0\n"]
    return lines
get_ipython().input_transformer_manager.cleanup_transforms.append(generous)

# %% test_double
assert_close(double(3), 6)
assert double(4) == 8

# %% after
print(f'changed {len(changed)} cells')
