"""Forges a reply to the question during which it is called."""

# /// attack
# uses = ["forge"]
# [variants]
# ok = "{'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}"
# odd-error = "{'status': 'error', 'ename': ['x'], 'evalue': {'a': 1}, 'traceback': 'no list'}"
# ///

# %% double
import time
def double(x):
    stream = kernel.shell_stream if hasattr(kernel, "shell_stream") else kernel.shell_streams[0]
    parent = kernel.get_parent()
    ident = kernel._parent_ident.get("shell", []) if hasattr(kernel, "_parent_ident") else []
    for reply in ([1], VARIANT, VARIANT):
        kernel.session.send(kernel.shell_socket if hasattr(kernel, "shell_socket") else stream,
            "execute_reply", reply, parent=parent, ident=ident)
        forge("status", {"execution_state": "idle"})
    sent.append(1)
    time.sleep(0.2)
    return 0 * x
sent = []

# %% after
print('sent', len(sent))
