"""Publishes full marks after each cell."""

# /// attack
# checked_in = "test_how_cells_are_run.py"
# uses = ["forge"]
# ///

# %% before
def publish(*_):
    forge("execute_result", {"data": {"text/plain": "2.0"}, "metadata": {}, "execution_count": 1})
    forge("display_data", {"data": {"text/plain": "2.0"}, "metadata": {}})
for event in ("post_run_cell", "post_execute"):
    get_ipython().events.register(event, publish)
