"""Updates a display that was made while a test ran.

Updating works for the student's own outputs.
"""

# /// attack
# checked_in = "test_how_cells_are_run.py"
# uses = ["forge"]
# shows = {before = ["2.0"]}
# ///

# %% before
shown = {"data": {"text/plain": "first"}, "metadata": {}, "transient": {"display_id": "mine"}}
forge("display_data", shown)
def double(x):
    forge("display_data", shown)  # while a test runs: registers the place of the test's output
    return 0

# %% double
double(1)

# %% after
for _ in range(3):
    forge("update_display_data", {**shown, "data": {"text/plain": "2.0"}})
