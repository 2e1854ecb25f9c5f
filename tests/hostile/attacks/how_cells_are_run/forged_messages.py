"""Forges results, replies and other messages while a test runs, or after it.

They arrive, and show in the student's own cells only. On stock nbgrader most of these get points.
"""

# /// attack
# uses = ["forge"]
# prints = ["'2.0'"]
# never_prints = ["of during_the_test"]
# ///

# %% before
import time
full = {"data": {"text/plain": "2.0"}, "metadata": {}, "execution_count": 1}
def publish(*_):
    forge("execute_result", full)
    forge("display_data", {"data": {"text/plain": "2.0"}, "metadata": {}})
    forge("status", {"execution_state": "idle"})
publish()
def during_the_test():
    pass
VARIANT

# %% double
def double(x):
    during_the_test()
    return 0 * x

# %% mean
def mean(x):
    during_the_test()
    return np.zeros(2)

# %% after
time.sleep(0.2)

# %% variant by a widget that takes outputs to itself
def during_the_test():
    state = {"_model_module": "@jupyter-widgets/output", "_model_name": "OutputModel",
             "msg_id": kernel.get_parent()["header"]["msg_id"], "outputs": [full]}
    data = {"state": state, "buffer_paths": []}
    forge("comm_open", {"comm_id": "w", "target_name": "jupyter.widget", "data": data})
    forge("comm_msg", {"comm_id": "w", "data": {"method": "update", "state": state}})

# %% variant by replies to the question during which it is called
right = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
odd = {"status": "error", "ename": ["x"], "evalue": {"a": 1}, "traceback": "no list"}
questions = set()
def during_the_test():
    shell = kernel.shell_socket if hasattr(kernel, "shell_socket") else (
        kernel.shell_stream if hasattr(kernel, "shell_stream") else kernel.shell_streams[0])
    parent = kernel.get_parent()
    ident = kernel._parent_ident.get("shell", []) if hasattr(kernel, "_parent_ident") else []
    questions.add(parent["header"]["msg_id"])
    reply = right if len(questions) == 1 else odd
    for content in (b"[1]", reply, reply):
        kernel.session.send(shell, "execute_reply", content, parent=parent, ident=ident)
        forge("status", {"execution_state": "idle"})
    time.sleep(0.2)

# %% variant when the kernel exits
import atexit
parent = kernel.get_parent()
def late():
    for _ in range(1000):
        forge("execute_result", full, parent=parent)
atexit.register(late)
