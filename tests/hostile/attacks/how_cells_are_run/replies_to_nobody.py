"""Sends replies to requests that nobody sent."""

# /// attack
# scores = "none"
# ///

# %% before
import threading, time
kernel = get_ipython().kernel
ident = kernel._parent_ident["shell"] if hasattr(kernel, "_parent_ident") else []
print("ident", ident)

# %% after
parent = {"header": {"msg_id": "another"}, "msg_id": "another", "msg_type": "execute_request"}
stop = time.monotonic() + 100
while time.monotonic() < stop:
    try:
        kernel.session.send(kernel.shell_socket, "execute_reply", {"status": "ok"}, parent=parent,
                            ident=ident)
        time.sleep(0.001)
    except (KeyboardInterrupt, Exception) as error:
        pass
