"""Prints many outputs, or outputs that are larger in a file than when printed."""

# /// attack
# bounded = true
# answers = "right"
# limits = {output_bytes_per_submission = 300000}
# scores = "all"
# prints = ["begun", "again"]
# problems_among = ["output-limit"]
# ///

# %% before
from IPython.display import display, publish_display_data
begun = "begun"
print(begun, flush=True)
VARIANT

# %% after
begun = "again"
print(begun, flush=True)
VARIANT

# %% variant control characters
print('\x01' * 190_000)

# %% variant small outputs
for number in range(900):
    display(number)

# %% variant an output that a widget takes to itself
from ipykernel.comm import Comm
state = {"_model_module": "@jupyter-widgets/output", "_model_name": "OutputModel"}
state |= {"outputs": [], "msg_id": ""}
widget = Comm(target_name="jupyter.widget", data={"state": state})
mine = get_ipython().kernel.get_parent()["header"]["msg_id"]
def take(id):
    widget.send({"method": "update", "state": {"msg_id": id}, "buffer_paths": []})
from IPython.display import clear_output
for _ in range(10):
    publish_display_data({"text/plain": "x" * 150_000})
    take(mine)
    clear_output()
    take("")
print(begun)
