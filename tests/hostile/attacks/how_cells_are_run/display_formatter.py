"""Shows each number as full marks.

This works only in the student's own cell.

On stock nbgrader this gets points.
"""

# /// attack
# shows = {before = ["2.0"]}
# ///

# %% before
formatter = get_ipython().display_formatter.formatters["text/plain"]
formatter.for_type(float, lambda value, printer, cycle: printer.text("2.0"))
0.5
