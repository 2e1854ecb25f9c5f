# Sends what it likes on the kernel's own sockets.
kernel = get_ipython().kernel

def forge(kind, content, channel=None, parent=None):
    kernel.session.send(
        channel or kernel.iopub_socket, kind, content,
        parent=kernel.get_parent() if parent is None else parent,
        ident=b"forged" if channel is None else None,
    )
