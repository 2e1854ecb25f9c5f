"""Opens sockets to the hypervisor.

A network namespace does not cut off AF_VSOCK: on a virtual machine it leads to the host.
"""

# /// attack
# uses = ["tries"]
# problems = []
# works = []
# ///

# %% before
attempt("vsock", socket.socket, 40, socket.SOCK_STREAM)
attempt("vsock_datagrams", socket.socket, 40, socket.SOCK_DGRAM)
