"""Shows full marks instead of each result.

This works only in the student's own cell.

On stock nbgrader this gets points.
"""

# /// attack
# shows = {before = ["2.0"]}
# ///

# %% before
import sys
hook = type(sys.displayhook)
write = hook.write_format_data
def generous(self, format_dict, md_dict=None):
    return write(self, {"text/plain": "2.0"}, md_dict or {})
hook.write_format_data = generous
0.5
