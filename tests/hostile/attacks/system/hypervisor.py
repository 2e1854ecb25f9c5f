"""Opens sockets to the hypervisor.

A network of its own does not cut AF_VSOCK off: on a virtual machine it leads to the host.
"""

# /// attack
# uses = ["tries"]
# problems = []
# works = []
# ///

# %% before
attempt("vsock", socket.socket, 40, socket.SOCK_STREAM)
attempt("vsock_datagrams", socket.socket, 40, socket.SOCK_DGRAM)
